"""The model card: what a version is for, what it was measured to do, and where it is weak.

After Mitchell et al., Model Cards for Model Reporting (2019).
"""

from collections.abc import Mapping
from typing import Any

from ..settings import Settings
from .metrics import EXPLAINED


def model_card(settings: Settings, info: Mapping[str, Any]) -> str:
    """Return the card of a version as Markdown, written from its record."""
    evaluation, split, rows = info["evaluation"], info["split"], info["rows"]
    lines = [
        f"# Model card: {settings.name}",
        "",
        settings.description,
        "",
        f"**The decision it serves.** {settings.decision.question}",
        "",
        f"**Learnt from** {rows['training']:,} rows before {split['validation_from']}. The threshold "
        f"{evaluation['threshold']:g} was chosen on {rows['validation']:,} rows before {split['test_from']}. "
        f"Measured on {rows['test']:,} later rows, before {split['live_from']}.",
        "",
        "| measure | model | 95% interval | baseline | meaning |",
        "|---|---|---|---|---|",
        *(_row(name, evaluation) for name in evaluation["model"]),
        "",
        "## Where it is weak",
        "",
        *_weakest(info["metric"], evaluation["parts"]),
        "",
        "Not for rows outside the contract (`contract.json`), nor for another decision.",
    ]
    return "\n".join(lines) + "\n"


def _row(name: str, evaluation: Mapping[str, Any]) -> str:
    model, baseline = evaluation["model"][name], evaluation["baseline"][name]
    interval = f"{model['low']:.3f} to {model['high']:.3f}"
    return f"| {name} | {model['value']:.3f} | {interval} | {baseline['value']:.3f} | {EXPLAINED[name]} |"


def _weakest(metric: str, parts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    lines = []
    for part, values in parts.items():
        worst = min(values, key=lambda value: values[value][metric]["value"], default=None)
        if worst is not None:
            figures = values[worst]
            lines.append(
                f"- by {part}: {worst}, {metric} {figures[metric]['value']:.3f} on {figures['rows']:,} rows"
            )
    return lines
