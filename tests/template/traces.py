"""What gives a part away: words that may stand in a project only if the part was chosen."""

import re

# Word chosen: patterns, matched without regard to case in every text of the project and in its file names.
TRACES = {
    "research": [
        r"\bduckdb\b",
        r"\bscikit-learn\b",
        r"\bonnx\b",
        r"\bnumpy\b",
        r"late-flights (train|tune|demo|rounds)\b",
        r"\boptuna\b",
        r"\bhyperparameters\b",
        r"\brounds\.jsonl\b",
        r"\bfirst-day\b",
        r"\b(company|choice)\.html\b",
        r"\b(contract|estimator|extract)\.py\b",
        r"\bhandrail\[",
    ],
    "production": [
        r"(?<!devcontainer/)(?<!\")\bdockerfile\b(?!\")",
        r"late-flights promote\b",
        r"late-flights rollback\b",
    ],
    "operation": [
        r"\bprometheus\b.*\balert",
        r"late-flights (monitor|refused|replay|archive|purge|handover|readiness)\b",
        r"\bML Test Score\b",
        r"\bretention:",
        r"\bwebhook",
        r"SMTP_URL",
        r"late-flights alert\b",
        r"\bHANDOVER\.md\b",
        r"\bchecks\.py\b",
        r"\brunbook\.md\b",
    ],
    "classification": [r"\bclassification\(\)", r"\bflagged\b", r"\blift_at_10\b"],
    "regression": [r"\bregression\(\)", r"\bdelay_minutes\b", r"\bmean delay\b"],
    "forecasting": [
        r"\bforecasting\(\)",
        r"\bairport_hours?\b",
        r"_one_week_before\b",
        r"last week's figures",
    ],
    "sklearn": [r"\bskl2onnx\b", r"\bHistGradientBoosting"],
    "lightgbm": [r"\blightgbm\b"],
    "xgboost": [r"\bxgboost\b"],
    "keras": [r"\bkeras\b", r"\btensorflow\b", r"\bnetwork\.py\b"],
    "mlflow": [r"\bmlflow\b", r"TRACKING__"],
    "postgres": [r"\bpsycopg\b", r"COMPUTE_URL"],
    "spark": [r"\b(py)?spark\b", r"\bjava\b", r"\bdefault-jre"],
    "jupyter": [r"\bjupyter", r"\bipynb\b"],
    "marimo": [r"\bmarimo\b"],
    "labelling": [
        r"\blabelling\b",
        r"late-flights labels\b",
        r"\bnltk\b",
        r"\bmturk\b",
        r"\bclickworker\b",
        r"\badjudicat",
        r"\bannotator",
    ],
    "fastapi": [
        r"\bfastapi\b",
        r"\buvicorn\b",
        r"late-flights serve\b",
        r"\bserving:",
        r"api[_ ]key",
        r"\bapi\.py\b",
        r"\bmiddleware\b",
        r"\b(a|the) service\b",
    ],
    "streamlit": [r"\bstreamlit\b", r"late-flights dashboard\b", r"\bkpis\.sql\b", r"\bapp\.py\b"],
    "airflow": [r"\bairflow", r"\bDAGs?\b", r"\bschedule\.(py|yaml)\b", r"\bdags/"],
    "batch": [r"late-flights score\b", r"\bbatch scor", r"\bbatch\.py\b"],
    "aws": [r"\bAWS\b", r"\bstack\.yaml\b", r"\bboto3\b", r"\bCloudFormation\b"],
    "gcp": [r"\bgcloud\b", r"\bterraform\b", r"\bgoogle-cloud-storage\b"],
    "devcontainer": [r"\bdevcontainer\b"],
    "github": [r"\bgithub\b"],
    "gitlab": [r"\bgitlab\b"],
    "mit": [r"permission is hereby granted"],
    "apache": [r"apache license"],
    "bsd": [r"redistributions in binary form"],
    "proprietary": [r"licenseref-proprietary"],
}


def traces_of(absent: set[str], text: str) -> list[str]:
    """Return each piece of text that speaks of a part that isn't there."""
    patterns = [pattern for word in absent for pattern in TRACES.get(word, ())]
    return [match[0] for pattern in patterns for match in re.finditer(pattern, text, re.IGNORECASE)]
