"""What a repository's files say of the answers: each with the reason, for people to correct."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from . import answers as rules
from .record import answer_or_nothing
from .survey import Survey

LICENSES = {"mit": "MIT License", "apache": "Apache License", "bsd": "BSD 3-Clause"}
SERVES = {"fastapi", "flask", "bottle", "litestar", "sanic", "tornado"}
PROBLEMS = {
    "classification": re.compile(
        r"Classifier\b|LogisticRegression\b|\b(?:roc_auc|accuracy|f1)_score\b|\bconfusion_matrix\b"
    ),
    "regression": re.compile(
        r"Regressor\b|(?<!Logistic)Regression\b|\br2_score\b|\bmean_(?:absolute|squared)_error\b"
    ),
    "forecasting": re.compile(
        r"\b(?:Prophet|ARIMA|SARIMAX|ExponentialSmoothing|AutoARIMA|StatsForecast|forecast)\b"
    ),
}
LONGEST_DESCRIPTION = 150
AS_TEMPLATES_HAVE_IT = ("A short description", "This is your new Kedro", "Add a short description")
UNSAID = "To be said in one sentence: what it predicts, and what for"


class Guess(NamedTuple):
    """An answer, and what it is guessed from."""

    answer: str
    why: str


def guesses(survey: Survey, template: Mapping[str, Any]) -> dict[str, Guess]:
    """Return an answer for each question of which the files say something, if the template has it."""
    imports = survey.imports.keys()
    names = {file.name for file in survey.files}
    found = {
        **texts(survey),
        "license": license_of(survey),
        "ci": ci(survey, names),
        "stage": stage(imports, names),
        "problem": problem(survey),
        "model": first(
            imports, {"lightgbm": "lightgbm", "xgboost": "xgboost", "keras": "keras tensorflow"}, "sklearn"
        ),
        "compute": first(imports, {"spark": "pyspark"}, "duckdb"),
        "tracking": first(imports, {"mlflow": "mlflow"}, "none"),
        "notebooks": first(imports, {"marimo": "marimo"}, "jupyter"),
        "api": first(imports, {"fastapi": " ".join(sorted(SERVES))}, "none"),
        "scheduler": first(imports, {"airflow": "airflow"}, "none"),
        "dashboard": first(imports, {"streamlit": "streamlit dash"}, "none"),
    }
    choices = rules.choices(template)
    return {
        key: guess
        for key, guess in found.items()
        if key in rules.questions(template) and guess.answer in choices.get(key, [guess.answer])
    }


def first(imports: Mapping | Any, words: Mapping[str, str], otherwise: str) -> Guess:
    """Return the first word of which a package is imported."""
    for word, packages in words.items():
        for package in packages.split():
            if package in imports:
                return Guess(word, f"{package} is imported")
    return Guess(otherwise, "nothing here speaks for another")


def stage(imports: Mapping | Any, names: set[str]) -> Guess:
    """Return how far a repository goes: to production if something in it answers or is built."""
    serving = SERVES & {*imports}
    built = sorted(name for name in names if name.rpartition("/")[2].startswith("Dockerfile"))
    if serving or built:
        return Guess("production", f"{built[0]} is there" if built else f"{min(serving)} is imported")
    return Guess("research", "no service and no Dockerfile is here")


def problem(survey: Survey) -> Guess:
    """Return what is predicted, by the words of the code: the one of which there are most."""
    counted = {
        word: sum(len(pattern.findall(line)) for file in survey.files for _, line in file.code)
        for word, pattern in PROBLEMS.items()
    }
    most = max(counted, key=lambda word: counted[word])
    times = f"of the words that tell, the code has {counted[most]} of this kind"
    return Guess(most, times) if counted[most] else Guess("classification", "nothing here speaks for another")


def ci(survey: Survey, names: set[str]) -> Guess:
    """Return where changes are checked: by the files, or else by the address of the repository."""
    if any(name.startswith(".github/") for name in names):
        return Guess("github", ".github is there")
    if ".gitlab-ci.yml" in names:
        return Guess("gitlab", ".gitlab-ci.yml is there")
    origin = answer_or_nothing(survey.folder, "config", "remote.origin.url")
    for word in ("github", "gitlab"):
        if word in origin:
            return Guess(word, "the repository's origin is there")
    return Guess("none", "no checks are here")


def license_of(survey: Survey) -> Guess:
    """Return the licence, by the first lines of its file."""
    for name in ("LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE"):
        file = survey.by_name.get(name)
        for word, title in LICENSES.items():
            if file and title.lower() in file.text[:400].lower():
                return Guess(word, f"{name} begins so")
    return Guess("proprietary", "no licence that is known is here")


def texts(survey: Survey) -> dict[str, Guess]:
    """Return name, slug, description and author."""
    project = survey.described.get("project", {})
    kedro = survey.described.get("tool", {}).get("kedro", {})
    named, whence = next(
        (str(name), whence)
        for name, whence in (
            (kedro.get("project_name"), "pyproject.toml"),
            (project.get("name"), "pyproject.toml"),
            (heading(survey), "the README's heading"),
            (survey.folder.resolve().name, "the folder's name"),
        )
        if name
    )
    pretty = named if " " in named else " ".join(re.split(r"[-_\s]+", named)).title()
    found = {
        "project_name": Guess(pretty, whence),
        "project_slug": Guess(slug_near(str(project.get("name") or named)), whence),
        "description": description(survey),
    }
    return found | author(survey)


def heading(survey: Survey) -> str:
    """Return the first heading of the README, if that is a few plain words."""
    readme = next((file for file in survey.files if file.name.lower() == "readme.md"), None)
    found = re.match(r"\s*# +([\w -]{2,40})\n", readme.text) if readme else None
    return found[1].strip() if found else ""


def slug_near(name: str) -> str:
    """Return a slug that nothing speaks against, as near to a name as possible."""
    near = rules.suggestion(name.replace("_", "-"))
    taken = any(rules.slug_problems("project_slug", near))
    return f"{near[: rules.LONGEST_SLUG - len('-project')]}-project" if taken else near


def description(survey: Survey) -> Guess:
    """Return what it is for, from pyproject.toml or the first sentence of the README."""
    said = str(survey.described.get("project", {}).get("description") or "").strip()
    if sound("description", said) and not said.startswith(AS_TEMPLATES_HAVE_IT):
        return Guess(said, "pyproject.toml")
    readme = next((file for file in survey.files if file.name.lower() == "readme.md"), None)
    for line in readme.text.splitlines()[1:] if readme else ():
        if re.match(r"[A-Za-z]", line) and (
            sentence := re.split(r"(?<=[.!?])\s", line.strip())[0].rstrip(".")
        ):
            short = len(sentence) <= LONGEST_DESCRIPTION and not sentence.startswith(AS_TEMPLATES_HAVE_IT)
            if short and not re.search(r"[<>`\[\]*]", sentence):
                return Guess(sentence, readme.name if readme else "")
            break
    return Guess(UNSAID, "nothing here says it")


def author(survey: Survey) -> dict[str, Guess]:
    """Return who answers for it: by pyproject.toml, or by git, nothing where neither says it."""
    for person in survey.described.get("project", {}).get("authors", []):
        said = f"{person.get('name', '')} <{person.get('email', '')}>"
        if sound("author", said):
            return {"author": Guess(said, "pyproject.toml")}
    own = [answer_or_nothing(survey.folder, "config", f"user.{part}") for part in ("name", "email")]
    last = answer_or_nothing(survey.folder, "log", "-1", "--format=%an <%ae>")
    for said, why in ((f"{own[0]} <{own[1]}>", "git's settings"), (last, "the newest commit")):
        if sound("author", said):
            return {"author": Guess(said, why)}
    return {}


def sound(key: str, answer: str) -> bool:
    """Return whether an answer would be taken."""
    return not rules.problems({key: answer})


def folder_of(survey: Survey, slug: str) -> Path:
    """Return the folder that the project is put into: called as its slug, if that is free."""
    names = [slug, f"{slug}-project", *(f"{slug}-{number}" for number in range(2, 100))]
    free = next(name for name in names if not (survey.folder / name).exists())
    return Path(free)
