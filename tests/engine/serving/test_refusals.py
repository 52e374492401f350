"""Which rules of the contract rows broke, since when: of requests, and of what was kept aside."""

import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest

from handrail.compute.duckdb import connect, write_parquet
from handrail.etl.load import rejected_path
from handrail.serving.activity import activity_folder
from handrail.serving.refusals import last_days, read_refusals
from tests.engine.support.lived import run
from tests.engine.support.workspaces import copied


@pytest.fixture
def refusing(trained, tmp_path):
    """Return settings of a workspace in which requests were refused, and rows kept aside."""
    settings = copied(trained, tmp_path)
    folder = activity_folder(settings)
    folder.mkdir(parents=True)
    lines = [
        {"from": "2026-03-01T08:00:00", "to": "2026-03-01T08:00:05", "broken": {"wind: missing": 2}},
        {
            "from": "2026-03-01T08:00:05",
            "to": "2026-03-01T08:00:10",
            "broken": {"wind: missing": 40, "origin: literal_error": 1},
        },
        {"from": "2026-03-02T11:30:00", "to": "2026-03-02T11:30:05", "broken": {"wind: missing": 1}},
        {"from": "2026-03-03T00:00:00", "to": "2026-03-03T00:00:05", "answers": {"200": 7}},
    ]
    for line in lines:
        with (folder / f"{line['from'][:10]}-0a0b0c0d.ndjson").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
    return settings


def kept_aside(settings, *reasons):
    """Keep rows aside as `score` does, each with its reason."""
    path = rejected_path(settings, "scored-flights")
    path.parent.mkdir(parents=True, exist_ok=True)
    with connect(settings) as connection:
        values = ", ".join(f"('{reason}')" for reason in reasons)
        write_parquet(connection, f"SELECT * FROM (VALUES {values}) AS given (reason)", path)


def told(settings, first, after):
    return [
        (each.where, each.rule, each.records, str(each.first), str(each.last))
        for each in read_refusals(settings, first, after)
    ]


def test_rules_of_requests_are_counted_from_the_first_moment_to_the_last(refusing):
    for path in rejected_path(refusing, "any").parent.glob("*"):
        path.unlink()
    days = date(2026, 3, 1), date(2026, 3, 4)
    assert told(refusing, *days) == [
        ("requests", "wind: missing", 43, "2026-03-01 08:00:00", "2026-03-02 11:30:05"),
        ("requests", "origin: literal_error", 1, "2026-03-01 08:00:05", "2026-03-01 08:00:10"),
    ]
    assert [each[2] for each in told(refusing, date(2026, 3, 2), date(2026, 3, 4))] == [1]


def test_rows_that_were_kept_aside_are_counted_by_file_and_reason(refusing):
    kept_aside(refusing, "line 7: wind: below 0", "line 19: wind: below 0", "origin: missing")
    found = [each for each in told(refusing, *last_days(30)) if "scored-flights" in each[0]]
    path = refusing.shown(rejected_path(refusing, "scored-flights"))
    assert [each[:3] for each in found] == [(path, "wind: below 0", 2), (path, "origin: missing", 1)]
    assert datetime.now(UTC).replace(tzinfo=None) - datetime.fromisoformat(found[0][4]) < timedelta(minutes=2)
    assert told(refusing, date(2026, 3, 3), date(2026, 3, 4)) == []


def test_the_verb_shows_them(refusing, monkeypatch, capsys):
    window = ("--from", "2026-03-01", "--to", "2026-03-04")
    assert run(monkeypatch, refusing, "refused", *window) == 0
    lines = [re.split(r"\s{2,}", line.strip()) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["requests"],
        ["rows", "first (UTC)", "last (UTC)"],
        ["wind: missing", "43", "2026-03-01 08:00", "2026-03-02 11:30"],
        ["origin: literal_error", "1", "2026-03-01 08:00", "2026-03-01 08:00"],
    ]
    assert run(monkeypatch, refusing, "refused", "--from", "2026-03-03", "--to", "2026-03-04") == 0
    assert capsys.readouterr().out == (
        "no row has broken the contract from 2026-03-03 on and before 2026-03-04\n"
    )
