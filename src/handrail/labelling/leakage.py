"""Which raw columns annotators must not see: those that tell what is to be predicted, or are sensitive.

A label that was given with the outcome in view would carry the outcome into the features.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from handrail.compute.duckdb import Connection, row
from handrail.contract.schema import Role, of_role
from handrail.errors import ProjectError
from handrail.project import Project

SECRET = (Role.TARGET, Role.FORBIDDEN, Role.SENSITIVE)
OPEN = (Role.KEY, Role.TIME, Role.FEATURE, Role.CONTEXT)


def forbidden_columns(connection: Connection, project: Project) -> dict[str, str]:
    """Return each column that must not be shown, with the reason.

    They are the contract's columns that are target, forbidden or sensitive, and all raw columns that
    etl/transform.sql makes them of, unless a column that may be known is the same raw column.
    """
    made_of = sources(connection, project.transform)
    known = {
        name
        for c in of_role(project.contract, *OPEN)
        for name in made_of[c.name]
        if len(made_of[c.name]) == 1
    }
    found: dict[str, str] = {}
    for c in of_role(project.contract, *SECRET):
        for name in sorted(closure({c.name}, made_of) - {c.name} - known):
            found[name] = f"contract.py makes {c.name} of it, whose role is {c.role.value}"
        found[c.name] = f"its role in contract.py is {c.role.value}"
    return found


def sources(connection: Connection, query: str) -> dict[str, set[str]]:
    """Return for each column that a SELECT, or one within it, names: the columns that it is made of."""
    parsed = json.loads(row(connection, "SELECT json_serialize_sql(?) AS tree", [query])["tree"])
    if parsed["error"]:
        raise ProjectError(f"etl/transform.sql: {parsed['error_message']}")
    found: defaultdict[str, set[str]] = defaultdict(set)
    for node in _nodes(parsed):
        for column in node.get("select_list") or ():
            references = [each["column_names"][-1] for each in _nodes(column) if "column_names" in each]
            name = column.get("alias") or (references[0] if "column_names" in column else "")
            found[name] |= set(references)
    return found


def closure(names: set[str], made_of: dict[str, set[str]]) -> set[str]:
    """Return the names with all that they are made of, step by step."""
    wider = names.union(*(made_of.get(name, set()) for name in names))
    return names if wider == names else closure(wider, made_of)


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in a JSON document."""
    if isinstance(tree, dict):
        yield tree
    for below in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _nodes(below)
