"""How far ahead the time of a row may lie that is asked for: `outcome.horizon_days` of project.yaml."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from operator import le
from typing import Annotated, Any

from pydantic import AfterValidator, create_model, model_validator
from pydantic_core import PydanticCustomError

from handrail.compute.duckdb import identifier
from handrail.config.settings import Settings
from handrail.contract.schema import Record
from handrail.contract.table_check import Rule


def latest_time(settings: Settings) -> datetime:
    """Return the latest time of a row that may be asked for now."""
    return datetime.now(UTC).replace(tzinfo=None) + timedelta(days=settings.outcome.horizon_days)


def rules(settings: Settings) -> list[Rule]:
    """Return the rule for tables, broken by a row that lies too far ahead; none where rows have no time."""
    time = settings.project.time
    if time is None:
        return []
    broken = f"{identifier(time)} > TIMESTAMP '{latest_time(settings)}'"
    return [Rule(f"{time}: {_text(settings)}", broken)]


def bounded_request(settings: Settings) -> type[Record]:
    """Return the record that a client sends, whose time may not lie further ahead."""
    latest = latest_time(settings)

    def not_too_far(time: datetime) -> datetime:
        nonlocal latest  # looked up again only for a time beyond it: the clock goes forward
        if time.replace(tzinfo=None) > latest:
            latest = latest_time(settings)
            if time.replace(tzinfo=None) > latest:
                raise PydanticCustomError("too_far_ahead", "{text}", {"text": _text(settings)})
        return time

    request, name, origin = settings.project.request, settings.project.time, settings.project.origin
    if name is None:
        return request

    def made_before(record: Record) -> Record:
        if origin and getattr(record, origin) > getattr(record, name):
            said = {"text": f"{origin}: later than {name}"}
            raise PydanticCustomError("made_too_late", "{text}", said)
        return record

    field = request.model_fields[name]
    annotation: Any = field.rebuild_annotation()
    fields: dict[str, Any] = {name: (Annotated[annotation, AfterValidator(not_too_far)], field)}
    checks: dict[str, Any] = {"made_before": model_validator(mode="after")(made_before)} if origin else {}
    return create_model(request.__name__, __base__=request, __validators__=checks, **fields)


def within_bounds(settings: Settings) -> Callable[[Mapping[str, Sequence[Any]]], bool]:
    """Return what tells of columns that keep the contract whether `bounded_request` takes them, too."""
    name, origin, latest = settings.project.time, settings.project.origin, latest_time(settings)
    if name is None:
        return lambda columns: True

    def are_within(columns: Mapping[str, Sequence[Any]]) -> bool:
        nonlocal latest  # as above
        times = columns[name]
        last = max(times)
        if last > latest:
            latest = latest_time(settings)
        made_before = not origin or all(map(le, columns[origin], times))
        return last <= latest and made_before

    return are_within


def _text(settings: Settings) -> str:
    return f"more than {settings.outcome.horizon_days} days ahead"
