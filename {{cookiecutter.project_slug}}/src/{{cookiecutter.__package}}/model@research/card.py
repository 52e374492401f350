"""The model card: what a version is for, what it was measured to do, and where it is weak.

After Mitchell et al., Model Cards for Model Reporting (2019).
"""

from collections.abc import Mapping
from typing import Any

from ..settings import Settings
from .metrics import EXPLAINED, GREATER_IS_BETTER


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
        f"**Learnt from** {rows['training']:,} rows before {split['validation_from']}. "
        f"{_decided(evaluation['decision'])}, decided on {rows['validation']:,} rows before "
        f"{split['test_from']}. "
        f"Measured on {rows['test']:,} later rows, before {split['live_from']}.",
        "",
        f"**Hyperparameters.** {_values(info['hyperparameters'])}: {_origin(info['tuned'])}.",
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


def _decided(decision: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in decision.items()).capitalize()


def _values(hyperparameters: Mapping[str, float]) -> str:
    return ", ".join(f"`{name}` {value:g}" for name, value in hyperparameters.items())


def _origin(tuned: Mapping[str, Any] | None) -> str:
    if tuned is None:
        return "the defaults or somebody's own choice, not tuned"
    gain = f"{tuned['metric']} better by {tuned['gain']:.4f} ({tuned['low']:.4f} to {tuned['high']:.4f})"
    return f"tuned on {tuned['on']} in {tuned['trials']} trials, {gain} than before, on the validation rows"


def _row(name: str, evaluation: Mapping[str, Any]) -> str:
    model, baseline = evaluation["model"][name], evaluation["baseline"][name]
    interval = f"{model['low']:.3f} to {model['high']:.3f}"
    return f"| {name} | {model['value']:.3f} | {interval} | {baseline['value']:.3f} | {EXPLAINED[name]} |"


def _weakest(metric: str, parts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    lines = []
    for part, values in parts.items():
        order = sorted(values, key=lambda value: values[value][metric]["value"])
        worst = next(iter(order if GREATER_IS_BETTER[metric] else reversed(order)), None)
        if worst is not None:
            figures = values[worst]
            lines.append(
                f"- by {part}: {worst}, {metric} {figures[metric]['value']:.3f} on {figures['rows']:,} rows"
            )
    return lines
