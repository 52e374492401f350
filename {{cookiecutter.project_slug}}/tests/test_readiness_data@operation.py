"""The tests of features and data: each passes as it stands, fails with its reason where it should."""

import duckdb
import pytest

from {{ cookiecutter.__package }} import contract
from {{ cookiecutter.__package }}.errors import ProjectError
from {{ cookiecutter.__package }}.etl import load, validate
from {{ cookiecutter.__package }}.readiness import expectations
from {{ cookiecutter.__package }}.readiness.bench import Bench
from {{ cookiecutter.__package }}.schema import Role, column, columns

from .lived import CONTRACT

FEATURE = next(c for c in columns(CONTRACT) if c.role is Role.FEATURE and not c.categorical)


def refusal(check, project):
    """Return why a test of the score fails."""
    with pytest.raises(ProjectError) as refused:
        check(Bench(project))
    return refused.value.problems


def rewrite(project, query):
    """Write the live table anew from a query of it, named `old`."""
    path = load.table_path(project, contract.TABLE)
    old = duckdb.sql(f"SELECT * FROM '{path}'")
    old.create_view("old")
    duckdb.sql(query).to_table("changed")
    duckdb.sql("SELECT * FROM changed").write_parquet(str(path))


def test_expectations_hold_and_every_rule_of_them_is_caught(trained):
    found = expectations.expectations(Bench(trained))
    assert found.endswith(" rules were broken on purpose, and each was caught")
    assert int(found.split("; ")[1].split()[0]) > len(columns(CONTRACT))


def test_rows_that_break_an_expectation_fail(project):
    rewrite(project, f"SELECT * REPLACE ({FEATURE.le + 1} AS {FEATURE.name}) FROM old")
    (said,) = refusal(expectations.expectations, project)
    assert said.endswith(f" rows: {FEATURE.name}: above {FEATURE.le:g}; run `etl` again")


def test_an_expectation_that_the_check_of_tables_forgets_fails(trained, monkeypatch):
    known = validate.rules(CONTRACT)
    kept = tuple(rule for rule in known if not rule.text.startswith(f"{FEATURE.name}: above"))
    monkeypatch.setattr(validate, "rules", lambda contract: kept)
    assert refusal(expectations.expectations, trained) == (
        f"etl/validate.py: {FEATURE.name}: a value that is above {FEATURE.le:g} is not caught in a table",
    )


def test_a_feature_without_expectations_fails(trained, monkeypatch):
    class Loose(CONTRACT):
        luck: float | None = column(Role.FEATURE, "Any number")

    monkeypatch.setattr(expectations, "CONTRACT", Loose)
    assert refusal(expectations.expectations, trained) == (
        "contract.py: luck: any value passes; give it ge and le, a pattern, or a Literal of names",
    )
