"""The model card: what a version is for, what it was measured to do, and where it is weak.

After Mitchell et al., Model Cards for Model Reporting (2019).
"""

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

from handrail.config.sections import said
from handrail.config.settings import Settings
from handrail.tasks.metric import OF_BASELINE, RANGE, Decision, Metric
from handrail.training.intervals import drawn_by, format_interval
from handrail.training.splits import told_by

RANGES = (*RANGE, "range_level", "lowest", "highest")


def model_card(settings: Settings, info: Mapping[str, Any]) -> str:
    """Return the card of a version as Markdown, written from its record."""
    evaluation, split, rows = info["evaluation"], info["split"], info["rows"]
    which = {
        name: f"{count:,} rows {told_by(split, name, info.get('unknown'))}" for name, count in rows.items()
    }
    lines = [
        f"# Model card: {settings.name}",
        "",
        said(settings.description),
        "",
        f"**The decision it serves.** {said(settings.decision.question)}",
        "",
        f"**Learnt from** {which['training']}. Decided on {which['validation']}: "
        f"{_decided(evaluation['decision'])}. Measured on {which['test']}.",
        "",
        *([f"**Not all rows.** {info['taken']}.", ""] if "taken" in info else []),
        *_ranges(evaluation["decision"]),
        f"**Hyperparameters.** {_values(info['hyperparameters'])}: {_origin(info['tuned'])}.",
        "",
        "| measure | model | 95% interval | baseline | meaning |",
        "|---|---|---|---|---|",
        *(_row(settings.project.metrics[name], evaluation) for name in evaluation["model"]),
        "",
        drawn_by(evaluation.get("drawn")),
        "",
        "## Where it is weak",
        "",
        *_weakest(settings.project.metrics[info["metric"]], evaluation),
        "",
        "Not for rows outside the contract (`contract.json`), nor for another decision.",
    ]
    return "\n".join(lines) + "\n"


def _decided(decision: Decision) -> str:
    simple = {
        name.removeprefix(OF_BASELINE): value
        for name, value in decision.items()
        if name.startswith(OF_BASELINE)
    }
    own = told_decision(simple)
    return told_decision(decision) + (f"; of the baseline, where it answers, {own}" if own else "")


def told_decision(decision: Decision) -> str:
    """Return what was chosen for the model, without its ranges: they stand in a sentence of their own."""
    return ", ".join(
        f"{name} {value:g}"
        for name, value in decision.items()
        if name not in RANGES and not name.startswith(OF_BASELINE)
    )


def _ranges(decision: Decision) -> list[str]:
    """Return what the ends beside a prediction promise, where there are any."""
    if "range" not in decision:
        return []
    simple = decision.get("baseline_range")
    own = f" The baseline's, where it answers, reach {_reach(simple)}." if simple else ""
    by_size = ", by the amount predicted" if len(decision["range"]) > 1 else ""
    return [
        f"**Ranges.** `low` and `high` lie {_reach(decision['range'])} to either side of the prediction"
        f"{by_size}, so that {100 * decision['range_level']:.3g} of 100 outcomes are between them, while "
        f"errors are like those of the rows decided on; `coverage` below says how many were.{own}",
        "",
    ]


def _reach(of_sizes: Sequence[float]) -> str:
    return " to ".join(dict.fromkeys(f"{reach:.4g}" for reach in (min(of_sizes), max(of_sizes))))


def _values(hyperparameters: Mapping[str, float]) -> str:
    return ", ".join(f"`{name}` {value:g}" for name, value in hyperparameters.items())


def _origin(tuned: Mapping[str, Any] | None) -> str:
    if tuned is None:
        return "the defaults or somebody's own choice, not tuned"
    gain = f"{tuned['metric']} better by {tuned['gain']:.4f} ({format_interval(tuned, '.4f')})"
    return f"tuned on {tuned['on']} in {tuned['trials']} trials, {gain} than before, on the validation rows"


def _row(metric: Metric, evaluation: Mapping[str, Any]) -> str:
    model, baseline = (evaluation[name][metric.name] for name in ("model", "baseline"))
    figures = (_figure(model["value"]), format_interval(model), _figure(baseline["value"]))
    return f"| {' | '.join([metric.name, *figures, metric.meaning])} |"


def _figure(value: float) -> str:
    return "-" if isnan(value) else f"{value:.3f}"


def _weakest(metric: Metric, evaluation: Mapping[str, Any]) -> list[str]:
    lines = []
    whole = evaluation["model"][metric.name]["value"]
    for part, values in evaluation["parts"].items():
        order = sorted(values, key=lambda value: metric.sign * values[value][metric.name]["value"])
        if order:
            figures = values[order[0]]
            found = figures[metric.name]
            best = found["high" if metric.greater_is_better else "low"]
            clearly = (
                "" if metric.sign * best < metric.sign * whole else "not clearly weaker than the whole: "
            )
            value = f"{metric.name} {found['value']:.3f} ({format_interval(found)})"
            lines.append(f"- by {part}: {clearly}{order[0]}, {value} on {figures['rows']:,} rows")
    return lines
