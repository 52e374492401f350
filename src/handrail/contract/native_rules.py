"""Rules that pydantic-core checks by itself, for values as programs usually write them.

A call back into Python takes most of the time in which a long list of values is checked. Beside a rule with
such a call stands one without: what it takes, the rule takes, with the same result. What it refuses is no
error yet; the rule itself has to be asked.
"""

from typing import Any

from pydantic_core import CoreSchema, core_schema

NATIVE = "handrail_native"  # in the metadata of a schema: the one that stands beside it
OUTER = ("default", "nullable")  # what a rule may be wrapped in


def beside(native: CoreSchema) -> dict[str, Any]:
    """Return the metadata of a rule that `native` stands beside."""
    return {NATIVE: native}


def plain_schema(record: Any) -> Any:
    """Return the schema of a model of which nothing but its fields has rules; None of any other."""
    schema = record.__pydantic_core_schema__
    plain = schema["type"] == "model" and schema["schema"]["type"] == "model-fields"
    return schema if plain and not schema["schema"].get("computed_fields") else None


def native_rule(schema: Any) -> CoreSchema | None:
    """Return the rule of a column without a call into Python; None where there is none."""
    found = (schema.get("metadata") or {}).get(NATIVE)
    if found is not None:
        return found
    if schema["type"] in OUTER:
        inner = native_rule(schema["schema"])
        return inner and {**schema, "schema": inner}
    return None if "function" in schema else schema


def whole_number(schema: Any) -> CoreSchema:
    """Return the rule of a whole number, which may be written as 5.0, and is no text and no yes or no."""
    exact: Any = {**schema, "strict": True}
    written_as_amount = core_schema.chain_schema([core_schema.float_schema(strict=True), schema])
    return core_schema.union_schema([exact, written_as_amount], mode="left_to_right")
