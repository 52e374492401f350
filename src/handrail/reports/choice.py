"""The page for those who choose: every position, what errors cost there, and what to write down."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from handrail.config.sections import ErrorCosts
from handrail.config.settings import Settings
from handrail.reports.company import sponsor
from handrail.reports.tradeoff import Position, Range, Tradeoff, cheapest, cost, decimals_of, in_table, pays
from handrail.reports.wording import money, not_worth_it, number, saving

DIGITS = 6


def choosing(settings: Settings, evaluation: Mapping[str, Any], tradeoff: Tradeoff) -> dict[str, Any]:
    """Return what the page says, and the data that its script reckons with."""
    costs, places = settings.error_costs, in_table(tradeoff, settings.error_costs)
    return {
        "tradeoff": tradeoff,
        "sponsor": sponsor(settings),
        "rows": _rows(tradeoff, costs, places),
        "saving": " ".join(
            filter(None, (saving(tradeoff, costs.currency), not_worth_it(settings, evaluation)))
        ),
        "data": page_data(tradeoff, costs, places),
    }


def page_data(tradeoff: Tradeoff, costs: ErrorCosts, places: list[int]) -> dict[str, Any]:
    """Return the counts of each position, as the script reads them; what does not exist is None."""
    return {
        "currency": costs.currency,
        "costsAgreed": costs.agreed,
        "costs": {"low": costs.too_low, "high": costs.too_high},
        "per": tradeoff.period.per,
        "chosen": tradeoff.chosen,
        "listed": places,
        "agreed": tradeoff.terms.agreed,
        "decimals": decimals_of(tradeoff),
        "model": [
            _counts(each) | {"label": each.label, "shown": [*map(_finite, each.shown)], "pays": _ends(found)}
            for each, found in zip(tradeoff.model, pays(tradeoff.model), strict=True)
        ],
        "simple": [_counts(each) for each in tradeoff.simple],
        "nothing": [_counts(each) for each in tradeoff.nothing],
    }


def _rows(tradeoff: Tradeoff, costs: ErrorCosts, places: list[int]) -> list[dict[str, Any]]:
    """Return a row of the table for each place; marked are the present position and the cheapest."""
    best, forms = cheapest(tradeoff.model, costs), decimals_of(tradeoff)
    rows = []
    for place in places:
        each = tradeoff.model[place]
        cells = [number(value, f",.{form}f") for value, form in zip(each.shown, forms, strict=True)]
        rows.append(
            {
                "place": place,
                "label": each.label,
                "cells": cells,
                "cost": money(cost(each, costs), costs.currency),
                "present": place == tradeoff.chosen,
                "best": each is best,
            }
        )
    return rows


def _counts(each: Position) -> dict[str, Any]:
    return {"low": round(each.too_low, DIGITS), "high": round(each.too_high, DIGITS)}


def _finite(value: float) -> float | None:
    return round(value, DIGITS) if isfinite(value) else None


def _ends(found: Range | None) -> list[float | None] | None:
    return None if found is None else [_finite(end) for end in found]
