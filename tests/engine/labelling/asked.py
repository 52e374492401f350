"""A made-up question about twelve things, and the answers to it in each of the three forms."""

import csv
import io

import duckdb
import yaml

from handrail.cli.verbs.labels import labels
from handrail.compute import duckdb as engine
from handrail.etl.raw_files import RawTable
from handrail.labelling import answers, forms, items, task
from handrail.project import Project
from tests.engine.support.evidence import discovered, write
from tests.engine.support.workspaces import PROJECT, in_workspace

TEAM = ("Ada", "Ben", "Chen")
THINGS = [f"thing {n}" for n in range(11)] + ["=1+1"]
ASKED = {
    "question": "Is it <big>?",
    "instructions": "Look at it.",
    "choices": [{"name": "big", "means": "not small"}, {"name": "Small", "means": "not big"}],
    "items": {"table": "things", "column": "name", "show": ["colour"], "seed": 1},
    "annotators_per_item": 3,
    "team": list(TEAM),
    "repeated_items": 2,
    "minimum_agreement": 0.8,
    "adjudicator": "Grace",
    "currency": "EUR",
    "price_per_answer": {"team": 0.5, "mturk": 0.25, "clickworker": 0.1},
}


COLUMNS = {"name": "VARCHAR", "colour": "VARCHAR"}


def ask(root, given=None, **changes):
    """Return settings of a project that asks about twelve things, in a raw table of their own.

    `given`: what else the project brings of its own; `changes`: of the question.
    """
    tables = {**PROJECT.raw_tables, "things": RawTable("things.csv", COLUMNS, minimum_rows=1)}
    discovered(root)
    project = Project(PROJECT.package, given={"raw_tables": tables, **(given or {})}, root=root)
    settings = in_workspace(root, project)
    write(root, task.FILE, yaml.safe_dump(ASKED | changes, sort_keys=False))
    folder = root / "data" / "raw"
    folder.mkdir(parents=True)
    for name in PROJECT.raw_tables:
        duckdb.sql("SELECT 1 AS x").write_parquet(str(folder / f"{name}.parquet"))
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE things (name VARCHAR, colour VARCHAR)").fetchall()
        rows = [(name, 'red, or "rosé"') for name in THINGS] + [(None, "none")]
        connection.executemany("INSERT INTO things VALUES (?, ?)", rows)
        connection.execute(f"COPY things TO '{folder / 'things.parquet'}' (FORMAT parquet)").fetchall()
    return settings


def run(settings, export=None):
    """Run the verb on made-up settings."""
    return labels.callback(settings, channel=export)


def chosen(settings):
    """Return the question and its items."""
    asked, facts = task.read_task(settings)
    with engine.connect(settings) as connection:
        return asked, items.all_items(connection, settings, asked, facts)


def truth(item):
    """Return the right answer: an odd number is small."""
    return "Small" if item[-1] in "13579" else "big"


def form(settings, name, answer=truth):
    """Return the rows of the form of one of the team, header first, filled in."""
    text = forms.forms(*chosen(settings), "team")[f"{name}.csv"].removeprefix(forms.BOM)
    header, *rows = csv.reader(io.StringIO(text))
    place = header.index("answer")
    return [header, *([*row[:place], answer(row[3].removeprefix("'")), "2026-02-03"] for row in rows)]


def mturk(settings, workers, answer=truth):
    """Return the results of a batch of Mechanical Turk, header first, with some of its many columns."""
    header = ["HITId", "AssignmentId", "WorkerId", "AssignmentStatus", "SubmitTime", "Input.task"]
    header += ["Input.item", "Input.colour", "Answer.category.label", "Approve", "Reject"]
    when, found = "Wed Dec 19 08:29:40 PST 2018", [header]
    for worker in workers:
        for item in chosen(settings)[1]:
            row = [f"H{item.task}", f"A{item.task}", worker, "Approved", when, item.task, item.value]
            found.append([*row, *item.shown, answer(item.value), "x", ""])
    return found


def clickworker(settings, workers, answer=truth):
    """Return results of Clickworker, header first."""
    found = [["customer_ref", "user_id", "answer", "state", "created_at"]]
    for worker in workers:
        for item in chosen(settings)[1]:
            found.append([item.task, worker, answer(item.value), "finished", "2013-10-17T09:22:16+02:00"])
    return found


def receive(settings, name, rows, delimiter=","):
    """Put a file of answers where they are read."""
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, lineterminator="\n").writerows(rows)
    write(settings.root, f"{answers.RECEIVED}/{name}", written.getvalue())


def receive_team(settings, **answer):
    """Put the filled-in forms of the whole team there; some answer in a way of their own."""
    for name in TEAM:
        receive(settings, f"{name}.csv", form(settings, name, answer.get(name, truth)))
