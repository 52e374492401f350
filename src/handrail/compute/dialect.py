"""The SQL of the engine's modules and of transform.sql, DuckDB's, as PostgreSQL and Spark understand it.

sqlglot does nearly all of it. Here is what it leaves: stars with EXCLUDE or REPLACE, BY NAME and ALL are
written out, files that are read become tables of the engine, and functions that have no counterpart are put
together from others, so that each value comes out the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Literal, cast

import sqlglot
from sqlglot import exp

Target = Literal["postgres", "spark"]
READERS = ("read_parquet", "read_json", "read_csv")
WHOLE = ("TINYINT", "SMALLINT", "INT", "BIGINT")
SCHEMA = "handrail"  # of PostgreSQL: our own functions, see handrail.compute.postgres
# The last 64 bits of an MD5, of which DuckDB takes the first byte as the least.
LOWER_HALF = " || ".join(f"substr(md5(:x), {place}, 2)" for place in range(31, 16, -2))


@dataclass(frozen=True)
class Asked:
    """What the translation has to ask of the engine.

    columns: the names of the columns of a query, which is in the engine's own SQL
    scanned: what holds the rows that a call such as `read_parquet([...])` reads: a table's name, or a query
    view: the query of a temporary view that the engine itself does not know, by its name
    """

    columns: Callable[[str], list[str]]
    scanned: Callable[[str], "str | Native"]
    view: Callable[[str], "Native | None"] = lambda name: None


class Native(exp.Expression):
    """A query that is in the engine's own SQL already."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True}


@lru_cache(maxsize=512)
def _parsed(statement: str) -> exp.Expression:
    return cast("exp.Expression", sqlglot.parse_one(statement, read="duckdb"))


def parse(statement: str) -> exp.Expression:
    """Return a statement of DuckDB's SQL as a tree; raises sqlglot's ParseError."""
    return _parsed(statement).copy()


def translate(tree: exp.Expression, target: Target, asked: Asked) -> str:
    """Return a query in the SQL of `target`; the tree is changed."""
    tree = _with_tables(tree, asked)
    tree = _in_other_words(tree, target)
    tree = _written_out(tree, target, asked)
    return generate(tree, target)


def generate(tree: exp.Expression, target: Target) -> str:
    """Return a tree that is ready as text, every name in quotation marks."""
    if target == "postgres":
        for name in tree.find_all(exp.Identifier):
            if not name.args.get("quoted"):
                name.set("this", name.name.lower())
    tree = tree.transform(lambda node: exp.Var(this=node.this) if isinstance(node, Native) else node)
    for number, query in enumerate(tree.find_all(exp.Subquery)):
        if isinstance(query.parent, exp.From | exp.Join) and not query.alias:  # which PostgreSQL asks for
            query.set("alias", exp.TableAlias(this=exp.to_identifier(f"_q{number}")))
    return tree.sql(
        dialect=target, identify=True, unsupported_level=sqlglot.ErrorLevel.IGNORE, comments=False
    )


def _with_tables(tree: exp.Expression, asked: Asked) -> exp.Expression:
    """Put the name of a table, or a query, in place of each call that reads files and of each view."""
    own = {each.alias_or_name.lower() for each in tree.find_all(exp.CTE)}
    for table in list(tree.find_all(exp.Table)):
        call, found = table.this, None
        if isinstance(call, exp.Func):
            text = call.sql(dialect="duckdb")
            found = asked.scanned(text) if text.lower().startswith(READERS) else None
        elif not table.args.get("db") and table.name.lower() not in own:
            found = asked.view(table.name)
        if isinstance(found, str):
            table.set("this", exp.to_identifier(found, quoted=True))
        elif found is not None:
            alias = table.args.get("alias") or exp.TableAlias(
                this=exp.to_identifier(_alias(table), quoted=True)
            )
            inner = exp.Subquery(this=found.copy(), alias=alias.copy())
            inner.set("joins", table.args.get("joins"))
            table.replace(inner)
    return tree


def _alias(table: exp.Table) -> str:
    return table.name if isinstance(table.this, exp.Identifier) else "_scanned"


# Functions, one by one.


def _in_other_words(tree: exp.Expression, target: Target) -> exp.Expression:
    """Change each part that has no counterpart, the inner ones first: the outer ones hold them."""
    own = POSTGRES if target == "postgres" else SPARK
    for node in reversed(list(tree.walk(bfs=False))):
        change = own.get(type(node))
        if change is None and isinstance(node, exp.Anonymous):
            change = own.get(node.name.lower())
        if change is None:
            continue
        changed = change(node.copy())
        if node is tree:
            return changed
        node.replace(changed)
    return tree


def _sql(text: str, target: Target, **parts: exp.Expression | None) -> exp.Expression:
    """Return a piece of the target's SQL, with trees in place of its `:names`."""
    tree = cast("exp.Expression", sqlglot.parse_one(text, read=target))

    def filled(node: exp.Expression) -> exp.Expression:
        part = parts.get(node.name) if isinstance(node, exp.Placeholder) else None
        return node if part is None else exp.paren(part.copy(), copy=False)

    return tree.transform(filled)


def _as_said(text: str, target: Target) -> Callable[[Any], exp.Expression]:
    """Return a change that fills `:x`, `:y`, ... of a piece of SQL with the arguments of a call."""

    def change(node: Any) -> exp.Expression:
        given = node.expressions if isinstance(node, exp.Anonymous) else [node.this, *_others(node)]
        return _sql(text, target, **dict(zip("xyz", given, strict=False)))

    return change


def _others(node: exp.Expression) -> list[exp.Expression]:
    second = node.args.get("expression")
    return [second] if isinstance(second, exp.Expression) else []


def _kind(node: exp.Cast) -> str:
    return node.to.this.name if node.to.this else ""


def _pg_try_cast(node: exp.TryCast) -> exp.Expression:
    """PostgreSQL has no TRY_CAST: functions of our own, each for one type."""
    kind = _kind(node)
    if kind in ("TEXT", "VARCHAR"):
        return exp.Cast(this=node.this, to=node.to)
    name = {"INT": "integer", "FLOAT": "real", "TIMESTAMPNTZ": "timestamp"}.get(kind, kind.lower())
    return exp.Anonymous(this=f"{SCHEMA}_try_{name}", expressions=[node.this])


def _pg_list_position(node: exp.Anonymous) -> exp.Expression:
    values, value = node.expressions
    typed = exp.Cast(this=values, to=exp.DataType.build("TEXT[]", dialect="postgres"))
    return exp.Anonymous(this="array_position", expressions=[typed, exp.cast(value, "TEXT")])


def _pg_hash(node: exp.SHA2) -> exp.Expression:
    """A hash of a text or of bytes, as hexadecimal digits."""
    return _sql(f"{SCHEMA}_sha256(:x)", "postgres", x=node.this)


def _pg_extract(node: exp.Extract) -> exp.Expression:
    """DuckDB's is a whole number, but for what has fractions of its own."""
    if node.name.lower() in ("epoch", "julian"):
        return exp.cast(node, "DOUBLE")
    return exp.cast(exp.Floor(this=node), "BIGINT")


def _is_double(node: exp.Expression) -> bool:
    return isinstance(node, exp.Cast) and _kind(node) == "DOUBLE"


def _average(node: exp.Avg) -> exp.Expression:
    """DuckDB's is of the type DOUBLE, whatever it is of; of decimals, another engine's has few digits."""
    each = node.this.expressions[0] if isinstance(node.this, exp.Distinct) else node.this
    if not _is_double(each):
        each.replace(exp.cast(each.copy(), "DOUBLE"))
    return node


POSTGRES: dict[Any, Callable[[Any], exp.Expression]] = {
    exp.TryCast: _pg_try_cast,
    exp.IsNan: _as_said("CAST(:x AS DOUBLE PRECISION) = CAST('NaN' AS DOUBLE PRECISION)", "postgres"),
    exp.IsInf: _as_said(
        "abs(CAST(:x AS DOUBLE PRECISION)) = CAST('Infinity' AS DOUBLE PRECISION)", "postgres"
    ),
    exp.SHA2: _pg_hash,
    exp.Extract: _pg_extract,
    exp.Unhex: _as_said("decode(:x, 'hex')", "postgres"),
    exp.Encode: _as_said("convert_to(:x, 'UTF8')", "postgres"),
    exp.DateFromParts: lambda n: exp.Anonymous(
        this="make_date", expressions=[n.args["year"], n.args["month"], n.args["day"]]
    ),
    exp.Contains: _as_said("strpos(:x, :y) > 0", "postgres"),
    exp.ApproxDistinct: lambda n: exp.Count(this=exp.Distinct(expressions=[n.this])),
    exp.Avg: _average,
    exp.Div: lambda n: (
        exp.Div(
            this=n.this,
            expression=exp.Nullif(this=n.expression, expression=exp.Literal.number(0)),
            typed=False,
        )
        if not n.expression.is_number
        else n
    ),
    "strlen": _as_said("octet_length(:x)", "postgres"),
    "list_position": _pg_list_position,
    "md5_number_lower": _as_said(f"{SCHEMA}_md5_number_lower(:x)", "postgres"),
    "error": _as_said(f"{SCHEMA}_error(:x)", "postgres"),
}


def _is_whole(node: exp.Expression) -> bool:
    """Tell whether an expression is a whole number at a glance, so that a cast rounds nothing."""
    node = cast("exp.Expression", node.unnest())
    if isinstance(node, exp.Literal):
        return node.is_int
    if isinstance(node, exp.Cast):
        return _kind(node) in WHOLE
    if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Mod):
        return _is_whole(node.this) and _is_whole(node.expression)
    return isinstance(node, exp.Extract | exp.Count | exp.Length | exp.IntDiv)


def _spark_cast(node: exp.Cast) -> exp.Expression:
    """Spark's cast to a whole number cuts off, DuckDB's rounds, to the even one where it lies between two."""
    if _kind(node) not in WHOLE or _is_whole(node.this):
        return node
    closer, inner = "DECIMAL(38, 9)" if _kind(node) == "BIGINT" else "DOUBLE", node.copy()
    inner.set("to", exp.DataType.build(closer, dialect="spark"))
    node.set("this", exp.Anonymous(this="bround", expressions=[inner, exp.Literal.number(0)]))
    return node


def _spark_quantiles(node: exp.PercentileDisc) -> exp.Expression:
    """Spark's takes one share at a time."""
    shares = node.expression
    if not isinstance(shares, exp.Array):
        return node
    # As text: sqlglot would make it the approximate one.
    value = generate(node.this.copy(), "spark")
    each = [
        exp.Var(this=f"PERCENTILE_DISC({share.sql()}) WITHIN GROUP (ORDER BY {value})")
        for share in shares.expressions
    ]
    return exp.Array(expressions=each)


def _spark_pattern(node: exp.RegexpLike) -> exp.Expression:
    r"""Java's `$` matches before a last line feed, too; `\z` is the end."""
    pattern = node.expression
    if isinstance(pattern, exp.Literal) and pattern.is_string:
        text = pattern.this
        if text.endswith("$") and not text.endswith("\\$"):
            node.set("expression", exp.Literal.string(text[:-1] + "\\z"))
    return node


def _spark_timezone(node: exp.AtTimeZone) -> exp.Expression:
    """A clock time in a zone is an instant, an instant in a zone a clock time: by what it is cast to."""
    inner = node.this.unnest()
    if isinstance(inner, exp.Cast) and _kind(inner) in ("TIMESTAMPTZ", "TIMESTAMPLTZ"):
        return _sql(
            "convert_timezone('UTC', :z, CAST(:x AS TIMESTAMP_NTZ))", "spark", x=inner, z=node.args["zone"]
        )
    made = "CAST(convert_timezone(:z, 'UTC', CAST(:x AS TIMESTAMP_NTZ)) AS TIMESTAMP_LTZ)"
    return _sql(made, "spark", x=node.this, z=node.args["zone"])


def _spark_extract(node: exp.Extract) -> exp.Expression:
    """Days of the week and seconds are counted in another way there."""
    text = {
        "isodow": "weekday(:x) + 1",
        "dow": "dayofweek(:x) - 1",
        "second": "CAST(second(:x) AS BIGINT)",
        "epoch": "unix_micros(CAST(:x AS TIMESTAMP_LTZ)) / 1000000",
    }.get(node.name.lower())
    return node if text is None else exp.paren(_sql(text, "spark", x=node.expression))


def _spark_list(node: exp.ArrayAgg) -> exp.Expression:
    if not isinstance(node.this, exp.Order):
        return node
    return _sql("sort_array(collect_list(:x))", "spark", x=node.this.this)


SPARK: dict[Any, Callable[[Any], exp.Expression]] = {
    exp.Cast: _spark_cast,
    exp.TryCast: _spark_cast,
    exp.IsInf: _as_said("abs(CAST(:x AS DOUBLE)) = CAST('Infinity' AS DOUBLE)", "spark"),
    exp.IsNan: _as_said("isnan(CAST(:x AS DOUBLE))", "spark"),
    exp.RegexpLike: _spark_pattern,
    exp.PercentileDisc: _spark_quantiles,
    exp.ArrayAgg: _spark_list,
    exp.AtTimeZone: _spark_timezone,
    exp.Avg: _average,
    exp.Extract: _spark_extract,
    exp.Div: lambda n: _sql(
        "try_divide(CAST(:x AS DOUBLE), CAST(:y AS DOUBLE))", "spark", x=n.this, y=n.expression
    ),
    exp.IntDiv: lambda n: _sql(
        "CAST(floor(try_divide(:x, :y)) AS BIGINT)", "spark", x=n.this, y=n.expression
    ),
    "strlen": _as_said("octet_length(:x)", "spark"),
    "list_position": _as_said("nullif(array_position(:x, :y), 0)", "spark"),
    "md5_number_lower": lambda n: _sql(
        f"CAST(conv({LOWER_HALF}, 16, 10) AS DECIMAL(20, 0))", "spark", x=n.expressions[0]
    ),
    "error": _as_said("raise_error(:x)", "spark"),
}


# What stands for a list of columns.


def _written_out(tree: exp.Expression, target: Target, asked: Asked) -> exp.Expression:
    """Write out what stands for columns, from the innermost query on, as the outer ones depend on it."""
    # A WITH belongs to the query that asks: what it names is known to no other.
    shared = tree.args.get("with_")
    found = [node for node in tree.walk(bfs=False) if isinstance(node, exp.Select | exp.SetOperation)]
    for query in reversed(found):
        ask = _ask_for(query, target, asked, shared)
        if isinstance(query, exp.Select):
            _stars(query, ask)
            _group_by_all(query, target)
            if target == "spark":
                _named_windows(query)
        elif query.args.get("by_name"):
            _by_name(query, ask)
        _order_by_all(query, ask)
    return tree


def _ask_for(
    query: exp.Expression, target: Target, asked: Asked, shared: exp.Expression | None
) -> Callable[[exp.Expression], list[str]]:
    def ask(probe: exp.Expression) -> list[str]:
        probe = probe.copy()
        if shared is not None and query.args.get("with_") is None and isinstance(probe, exp.Query):
            probe.set("with_", shared.copy())
        return asked.columns(generate(probe, target))

    return ask


def _stars(query: exp.Select, ask: Callable[[exp.Expression], list[str]]) -> None:
    """Write out `* EXCLUDE (...)` and `* REPLACE (...)`."""
    chosen: list[exp.Expression] = []
    for item in query.expressions:
        star = item.this if isinstance(item, exp.Column) else item
        if not isinstance(star, exp.Star) or not (star.args.get("except_") or star.args.get("replace")):
            chosen.append(item)
            continue
        table = item.args.get("table") if isinstance(item, exp.Column) else None
        plain: exp.Expression = exp.Star()
        if table is not None:
            plain = exp.Column(this=exp.Star(), table=table.copy())
        probe = exp.select(plain)
        for part in ("with_", "from_", "joins", "laterals"):
            if query.args.get(part):
                value = query.args[part]
                probe.set(part, [v.copy() for v in value] if isinstance(value, list) else value.copy())
        left_out = {each.name.lower() for each in star.args.get("except_") or []}
        others = {each.alias.lower(): each for each in star.args.get("replace") or []}
        for name in ask(probe):
            if name.lower() in others:
                chosen.append(others[name.lower()].copy())
            elif name.lower() not in left_out:
                chosen.append(exp.column(exp.to_identifier(name, quoted=True), table=table and table.copy()))
    query.set("expressions", chosen)


def _group_by_all(query: exp.Select, target: Target) -> None:
    group = query.args.get("group")
    if group is None or not group.args.get("all") or target == "spark":
        return
    places = [
        exp.Literal.number(place)
        for place, item in enumerate(query.expressions, start=1)
        if not item.find(exp.AggFunc)
    ]
    query.set("group", exp.Group(expressions=places))


def _named_windows(query: exp.Select) -> None:
    """Write a named window out where something is added to it, such as ROWS: Spark knows only its name."""
    named = {each.this.name.lower(): each for each in query.args.get("windows") or []}
    for window in list(query.find_all(exp.Window)):
        base = named.get(window.args["alias"].name.lower()) if window.args.get("alias") else None
        if base is None or window is base:
            continue
        window.set("alias", None)
        for part in ("partition_by", "order", "spec"):
            given = base.args.get(part)
            if given and not window.args.get(part):
                window.set(part, [each.copy() for each in given] if isinstance(given, list) else given.copy())
        window.set("over", "OVER")


def _order_by_all(query: exp.Expression, ask: Callable[[exp.Expression], list[str]]) -> None:
    order = query.args.get("order")
    if order is None or len(order.expressions) != 1:
        return
    only = order.expressions[0].this
    if only.name.upper() != "ALL" or not isinstance(only, exp.Var | exp.Column):
        return
    probe = query.copy()
    probe.set("order", None)
    places = [exp.Literal.number(n) for n in range(1, len(ask(probe)) + 1)]
    query.set("order", exp.Order(expressions=[exp.Ordered(this=each, nulls_first=False) for each in places]))


def _by_name(query: exp.SetOperation, ask: Callable[[exp.Expression], list[str]]) -> None:
    """Put the columns of both sides into one order; what one of them lacks is empty in it."""
    left, right = query.this, query.expression
    names = [ask(side) for side in (left, right)]
    every = [*names[0], *(name for name in names[1] if name not in names[0])]
    for place, (side, own) in enumerate(zip(("this", "expression"), names, strict=True)):
        chosen = [
            exp.column(exp.to_identifier(name, quoted=True))
            if name in own
            else exp.alias_(exp.Null(), exp.to_identifier(name, quoted=True))
            for name in every
        ]
        inner = exp.Subquery(this=query.args[side], alias=exp.TableAlias(this=exp.to_identifier(f"_{place}")))
        query.set(side, exp.select(*chosen).from_(inner))
    query.set("by_name", None)
