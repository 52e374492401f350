"""One rule for times, in files and in requests: a column is local, or it is UTC.

A local time is what a clock on the wall shows: a value with an offset is refused, since nobody can say what
clock it was. A UTC time is an instant: an offset is converted, and without one it is UTC already. No number
is a time. Either way a time is kept without an offset.
"""

from datetime import UTC, datetime
from re import compile as pattern
from typing import Any, Literal

from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from handrail.contract.native_rules import beside

Zone = Literal["local", "utc"]
LOCAL, UTC_ZONE = "local", "utc"
NUMBER = pattern(r"\s*[+-]?\d+(\.\d*)?\s*")


def reading_times(schema: CoreSchema, zone: Zone) -> CoreSchema:
    """Return the schema of a time that is read by the rule of `zone`."""

    def refuse_numbers(value: Any) -> Any:
        text = isinstance(value, str) and ":" not in value
        if isinstance(value, int | float) or (text and NUMBER.fullmatch(value)):
            raise PydanticCustomError("time_written", "has to be like 2013-01-31T18:30:00, and no number")
        return value

    def without_offset(value: datetime) -> datetime:
        if value.tzinfo is None:
            return value
        if zone == UTC_ZONE:
            try:
                return value.astimezone(UTC).replace(tzinfo=None)
            except OverflowError:
                raise PydanticCustomError("time_range", "has to be of the years 1 to 9999, in UTC") from None
        raise PydanticCustomError("time_local", "has an offset, and local time has none; leave it out")

    written = core_schema.no_info_before_validator_function(refuse_numbers, schema)
    if zone == LOCAL:
        native: Any = {
            **schema,
            "tz_constraint": "naive",
        }  # a number is read as a time in UTC, so it is refused
    else:
        text = core_schema.chain_schema([core_schema.str_schema(pattern=":"), schema])
        native = core_schema.no_info_after_validator_function(without_offset, text)
    return core_schema.no_info_after_validator_function(without_offset, written, metadata=beside(native))
