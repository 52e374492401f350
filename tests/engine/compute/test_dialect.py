"""How DuckDB's SQL is written for PostgreSQL and for Spark: what sqlglot leaves to us."""

import pytest

from handrail.compute import dialect

COLUMNS = {"t": ["a", "b", "c"], "u": ["b", "d"]}


def translated(query, target, view=lambda name: None):
    def columns(probe):
        name = probe.rpartition("FROM ")[2].strip('"`').partition(" ")[0].strip('"`')
        return COLUMNS[name]

    asked = dialect.Asked(columns=columns, scanned=lambda call: "departures", view=view)
    return dialect.translate(dialect.parse(query), target, asked)


@pytest.mark.parametrize(
    ("query", "postgres", "spark"),
    [
        (
            "SELECT TRY_CAST(a AS BIGINT) FROM t",
            'SELECT HANDRAIL_TRY_BIGINT("a") FROM "t"',
            "SELECT TRY_CAST(BROUND(TRY_CAST(`a` AS DECIMAL(38, 9)), 0) AS BIGINT) FROM `t`",
        ),
        (  # one in another is translated, too
            "SELECT sha256('x' || sha256(unhex('61'))) FROM t",
            "SELECT HANDRAIL_SHA256(('x' || HANDRAIL_SHA256((DECODE(('61'), 'hex'))))) FROM \"t\"",
            "SELECT SHA2('x' || SHA2(UNHEX('61'), 256), 256) FROM `t`",
        ),
        (
            "SELECT CAST(a AS INTEGER), CAST(count(*) AS INTEGER) FROM t",
            'SELECT CAST("a" AS INT), CAST(COUNT(*) AS INT) FROM "t"',
            "SELECT CAST(BROUND(CAST(`a` AS DOUBLE), 0) AS INT), CAST(COUNT(*) AS INT) FROM `t`",
        ),
        (
            "SELECT regexp_matches(a, '^x$') FROM t",
            'SELECT "a" ~ \'^x$\' FROM "t"',
            r"SELECT `a` RLIKE '^x\\z' FROM `t`",
        ),
        (
            "SELECT quantile_disc(a, [0.1, 0.9]) FROM t",
            'SELECT PERCENTILE_DISC(ARRAY[0.1, 0.9]) WITHIN GROUP (ORDER BY "a") FROM "t"',
            "SELECT ARRAY(PERCENTILE_DISC(0.1) WITHIN GROUP (ORDER BY `a`), "
            "PERCENTILE_DISC(0.9) WITHIN GROUP (ORDER BY `a`)) FROM `t`",
        ),
        (
            "SELECT * EXCLUDE (b) REPLACE (c + 1 AS c) FROM t",
            'SELECT "a", "c" + 1 AS "c" FROM "t"',
            "SELECT `a`, `c` + 1 AS `c` FROM `t`",
        ),
        (
            "SELECT x.* EXCLUDE (b) FROM t AS x",
            'SELECT "x"."a", "x"."c" FROM "t" AS "x"',
            "SELECT `x`.`a`, `x`.`c` FROM `t` AS `x`",
        ),
        (
            "SELECT a, count(*) AS n FROM t GROUP BY ALL",
            'SELECT "a", COUNT(*) AS "n" FROM "t" GROUP BY 1',
            "SELECT `a`, COUNT(*) AS `n` FROM `t` GROUP BY ALL",
        ),
        (
            "SELECT * FROM t ORDER BY ALL",
            'SELECT * FROM "t" ORDER BY 1, 2, 3',
            "SELECT * FROM `t` ORDER BY 1 NULLS LAST, 2 NULLS LAST, 3 NULLS LAST",
        ),
        (
            "SELECT * FROM t UNION ALL BY NAME SELECT * FROM u",
            'SELECT "a", "b", "c", NULL AS "d" FROM (SELECT * FROM "t") AS "_0" UNION ALL '
            'SELECT NULL AS "a", "b", NULL AS "c", "d" FROM (SELECT * FROM "u") AS "_1"',
            "SELECT `a`, `b`, `c`, NULL AS `d` FROM (SELECT * FROM `t`) AS `_0` UNION ALL "
            "SELECT NULL AS `a`, `b`, NULL AS `c`, `d` FROM (SELECT * FROM `u`) AS `_1`",
        ),
        (
            "SELECT a FROM read_parquet(['/data/departures.parquet'], hive_partitioning = false) AS d",
            'SELECT "a" FROM "departures" AS "d"',
            "SELECT `a` FROM `departures` AS `d`",
        ),
        (
            "SELECT avg(a) OVER (w ROWS BETWEEN 4 PRECEDING AND 1 PRECEDING) FROM t "
            "WINDOW w AS (PARTITION BY b ORDER BY c)",
            'SELECT AVG(CAST("a" AS DOUBLE PRECISION)) OVER ("w" ROWS BETWEEN 4 PRECEDING AND 1 PRECEDING) '
            'FROM "t" WINDOW "w" AS (PARTITION BY "b" ORDER BY "c")',
            "SELECT AVG(CAST(`a` AS DOUBLE)) OVER (PARTITION BY `b` ORDER BY `c` NULLS LAST "
            "ROWS BETWEEN 4 PRECEDING AND 1 PRECEDING) FROM `t` "
            "WINDOW `w` AS (PARTITION BY `b` ORDER BY `c` NULLS LAST)",
        ),
    ],
)
def test_what_sqlglot_leaves_is_written_out(query, postgres, spark):
    assert translated(query, "postgres") == postgres
    assert translated(query, "spark") == spark


def test_names_in_capitals_are_one_name_in_postgres_as_it_reads_them():
    assert translated('SELECT Day, "Day" FROM t', "postgres") == 'SELECT "day", "Day" FROM "t"'


def test_a_subquery_has_a_name_where_postgres_asks_for_one():
    assert (
        translated("SELECT a FROM (SELECT a FROM t)", "postgres")
        == 'SELECT "a" FROM (SELECT "a" FROM "t") AS "_q0"'
    )


def test_a_view_that_the_engine_does_not_know_is_put_where_its_name_stands():
    def view(name):
        return dialect.Native(this='SELECT 1 AS "a"') if name == "v" else None

    query = "WITH w AS (SELECT a FROM v) SELECT w.a FROM w JOIN v AS x ON x.a = w.a"
    assert translated(query, "postgres", view) == (
        'WITH "w" AS (SELECT "a" FROM (SELECT 1 AS "a") AS "v") '
        'SELECT "w"."a" FROM "w" JOIN (SELECT 1 AS "a") AS "x" ON "x"."a" = "w"."a"'
    )


def test_translating_leaves_what_was_parsed_as_it_was():
    query = "SELECT TRY_CAST(a AS BIGINT) FROM t"
    assert translated(query, "postgres") == translated(query, "postgres")
    assert dialect.parse(query).sql(dialect="duckdb") == query
