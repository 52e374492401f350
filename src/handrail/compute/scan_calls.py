"""What a call of DuckDB's such as `read_parquet([...], union_by_name = true)` says."""

import re
from pathlib import Path

from sqlglot import exp

from handrail.compute import dialect


def read_call(call: str) -> tuple[list[Path], str, exp.Expression]:
    """Return the files that a call names, its other arguments, and the tree of a query of it."""
    tree = dialect.parse(f"SELECT * FROM {call}")
    listed, *options = _arguments(_function(tree))
    names = listed.expressions if isinstance(listed, exp.Array) else [listed]
    files = [Path(re.sub(r"\[([\[*?])\]", r"\1", name.this)) for name in names]
    return files, ", ".join(option.sql(dialect="duckdb") for option in options), tree


def one_file(tree: exp.Expression, file: Path) -> str:
    """Return DuckDB's query of one of the files that a call names."""
    tree = tree.copy()
    function = _function(tree)
    plain = re.sub(r"[\[*?]", r"[\g<0>]", file.as_posix())
    one = exp.Array(expressions=[exp.Literal.string(plain)])
    if isinstance(function.this, exp.Expression):  # as sqlglot has read_csv
        function.set("this", one)
    else:
        function.set("expressions", [one, *function.expressions[1:]])
    return tree.sql(dialect="duckdb")


def _arguments(function: exp.Expression) -> list[exp.Expression]:
    first = [function.this] if isinstance(function.this, exp.Expression) else []
    return [*first, *function.expressions]


def _function(tree: exp.Expression) -> exp.Expression:
    return next(table.this for table in tree.find_all(exp.Table))
