"""Asking people: forms go out, answers come back, agreement is measured, labels are joined."""

import csv
import io
import json
import math
import re
import sys
from html.parser import HTMLParser

import duckdb
import pytest
import yaml

from handrail import cli, errors
from handrail.compute import duckdb as engine
from handrail.contract import schema
from handrail.etl.raw_files import RawRows
from handrail.labelling import (
    adjudication,
    aggregation,
    agreement,
    answers,
    etl_tables,
    forms,
    gate,
    items,
    leakage,
    outcome,
    store,
    task,
)
from handrail.stages import gates
from tests.engine.labelling.asked import (
    ASKED,
    COLUMNS,
    TEAM,
    THINGS,
    ask,
    chosen,
    clickworker,
    form,
    mturk,
    receive,
    receive_team,
    run,
    truth,
)
from tests.engine.support.evidence import write
from tests.engine.support.workspaces import PROJECT


@pytest.fixture
def asked(tmp_path):
    """Return settings of a project that asks about twelve things."""
    return ask(tmp_path)


def refusal(action, *arguments):
    """Return the sentences of a refusal."""
    with pytest.raises(errors.ProjectError) as refused:
        action(*arguments)
    return list(refused.value.problems)


def labels_of(settings):
    """Return the labels that are kept, by item."""
    with (store.folder(settings) / "labels.csv").open(encoding="utf-8") as lines:
        return {row["item"]: (row["label"], row["by"]) for row in csv.DictReader(lines)}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"choices": []}, "line 3: choices: List should have at least 2 items, not 0; write a list of two"),
        ({"annotators_per_item": 1}, "annotators_per_item: Input should be greater than or equal to 2 (giv"),
        ({"annotators_per_item": 4}, "team: 3 people, but annotators_per_item asks for 4; add people or ask"),
        ({"team": ["Ada", "Ben", "ada"]}, "team: Ada, ada: the same name twice; write a list of names"),
        ({"team": ["Ada", "../Ben", "Chen"]}, "team.#2: String should match pattern"),
        ({"adjudicator": "Ben"}, "adjudicator: Ben is an annotator too; take somebody else"),
        ({"minimum_agreement": 80}, "minimum_agreement: Input should be less than or equal to 1 (given"),
        ({"price_per_answer": {"team": -1, "mturk": 0, "clickworker": 0}}, "price_per_answer.team: Input sh"),
        ({"prize": 1}, "prize: no such field; take one of question, instructions, choices, items"),
        ({"items": ASKED["items"] | {"table": "moons"}}, "items.table: moons is no raw table; take one of"),
        ({"items": ASKED["items"] | {"show": ["size"]}}, "items.show: things has no column size; take some"),
        ({"items": ASKED["items"] | {"column": "size"}}, "items.column: things has no column size; take one"),
        ({"items": ASKED["items"] | {"show": ["colour", "colour"]}}, "items.show: colour stands twice; take"),
    ],
)
def test_a_mistake_in_the_question_is_told_with_its_line(tmp_path, changes, sentence):
    settings = ask(tmp_path, **changes)
    (said,) = refusal(chosen, settings)
    assert re.match(rf"{re.escape(task.FILE)}, line \d+: ", said)
    assert sentence in said


def test_what_tells_the_outcome_is_never_shown(tmp_path):
    with duckdb.connect() as connection:
        secret = leakage.forbidden_columns(connection, PROJECT)
    (target,) = schema.of_role(PROJECT.contract, schema.Role.TARGET)
    assert secret[target.name] == "its role in contract.py is target"
    outcome_in_view = {"transform": f"SELECT name, colour = 'red' AS {target.name} FROM things"}
    settings = ask(tmp_path, outcome_in_view, items=ASKED["items"] | {"show": ["colour", "name"]})
    (said,) = refusal(chosen, settings)
    line = (tmp_path / task.FILE).read_text(encoding="utf-8").splitlines().index("  - colour") + 1
    reason = f"contract.py makes {target.name} of it, whose role is target"
    told = f"items.show: colour must not be shown: {reason}; take it out"
    assert said == f"{task.FILE}, line {line}: {told}"


def test_what_a_column_is_made_of_is_followed_through_the_whole_statement():
    query = (
        "WITH late AS (SELECT f.arrived - f.planned AS minutes, f.town AS town FROM f) "
        "SELECT CASE WHEN minutes > 30 THEN 1 END AS target, town FROM late"
    )
    with duckdb.connect() as connection:
        made_of = leakage.sources(connection, query)
        assert leakage.closure({"target"}, made_of) == {"target", "minutes", "arrived", "planned"}
        assert leakage.closure({"town"}, made_of) == {"town"}
        assert refusal(leakage.sources, connection, "DROP TABLE f") == [
            "etl/transform.sql: Only SELECT statements can be serialized to json!"
        ]


def test_the_seed_draws_the_same_items_each_time(tmp_path):
    settings = ask(tmp_path, items=ASKED["items"] | {"number": 5})
    question, found = chosen(settings)
    first = items.wanted(question, found)
    assert items.wanted(*chosen(settings)) == first
    assert len({item.value for item in first}) == 5
    write(tmp_path, task.FILE, yaml.safe_dump(ASKED | {"items": ASKED["items"] | {"number": 5, "seed": 2}}))
    other = items.wanted(*chosen(settings))
    assert {item.value for item in other} != {item.value for item in first}
    assert {*other} < {*found}
    write(tmp_path, task.FILE, yaml.safe_dump(ASKED | {"items": ASKED["items"] | {"number": 13}}))
    assert refusal(run, settings, "team") == ["things: 12 different values of name only"]


def test_everybody_gets_what_was_planned_and_some_of_it_twice(asked):
    question, found = chosen(asked)
    for name, own in forms.assignments(question, found).items():
        assert {item.value for item in own} == {*THINGS}, name
        assert len(own) == len({item.task for item in own}) == 14
    larger = question.model_copy(update={"team": (*TEAM, "Dora"), "repeated_items": 0})
    per_item = [item.value for own in forms.assignments(larger, found).values() for item in own]
    assert {per_item.count(thing) for thing in THINGS} == {3}


def test_a_form_still_counts_when_the_data_has_grown(asked):
    receive_team(asked)
    things = asked.workspace / "data" / "raw" / "things.parquet"
    with duckdb.connect() as connection:
        more = f"SELECT * FROM '{things}' UNION ALL SELECT 'new thing ' || i, 'blue' FROM range(5) AS r(i)"
        connection.execute(f"CREATE TABLE grown AS {more}").fetchall()
        connection.execute(f"COPY grown TO '{things}' (FORMAT parquet)").fetchall()
    run(asked)
    assert {*labels_of(asked)} == {*THINGS}
    assert gate.labels_agreed(asked).evidence.startswith("12 of 17 items have a label; alpha 1.000")


def test_answers_to_another_question_are_not_taken_for_answers_to_this_one(asked):
    receive_team(asked)
    write(asked.root, task.FILE, yaml.safe_dump(ASKED | {"question": "Is it heavy?"}))
    said = refusal(outcome.find_outcome, asked, *chosen(asked))
    told = "where question, choices or data have changed since, send it anew"
    assert [line.endswith(told) for line in said] == [*[True] * 10, False] * 3


def test_a_form_may_come_back_in_two_files(asked):
    header, *rows = form(asked, "Ada")
    receive(asked, "first.csv", [header, *rows[:6]])
    receive(asked, "second.csv", [header, *rows[6:]])
    receive(asked, "Ben.csv", form(asked, "Ben"))
    outcome.find_outcome(asked, *chosen(asked))
    (asked.root / answers.RECEIVED / "second.csv").unlink()
    assert refusal(outcome.find_outcome, asked, *chosen(asked)) == [
        f"{answers.RECEIVED}/first.csv: 8 of the 14 tasks of Ada are missing, as number 7; "
        "is the file cut off?"
    ]


@pytest.mark.parametrize(
    ("channel", "sentence", "written"),
    [
        ("team", "12 items, 42 answers for 0.50 EUR each: 21.00 EUR", ["Ada.csv", "Ben.csv", "Chen.csv"]),
        ("mturk", "12 items, 36 answers for 0.25 EUR each: 9.00 EUR", ["input.csv", "layout.html"]),
        ("clickworker", "12 items, 36 answers for 0.10 EUR each: 3.60 EUR", ["briefing.txt", "tasks.csv"]),
    ],
)
def test_an_export_says_what_it_costs_and_writes_the_same_files_each_time(
    asked, capsys, channel, sentence, written
):
    run(asked, channel)
    assert capsys.readouterr().out.startswith(f"{sentence}\n")
    folder = store.folder(asked) / channel
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {*written} <= before.keys()
    run(asked, channel)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_no_cell_of_a_form_is_a_formula(asked):
    for channel in ("team", "mturk", "clickworker"):
        for name, text in forms.forms(*chosen(asked), channel).items():
            if name.endswith(".csv"):
                cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
                assert "'=1+1" in cells
                assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]


class Layout(HTMLParser):
    """Collects the attributes of the classifier, and all text."""

    def __init__(self, page):
        super().__init__()
        self.classifier, self.said = {}, ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "crowd-classifier":
            self.classifier = dict(attrs)

    def handle_data(self, data):
        self.said += data


def test_the_layout_of_a_hit_has_the_placeholders_of_its_input(asked):
    files = forms.forms(*chosen(asked), "mturk")
    (header, *_) = csv.reader(io.StringIO(files["input.csv"]))
    assert set(re.findall(r"\$\{(\w+)\}", files["layout.html"])) == {*header} - {"task"}
    page = Layout(files["layout.html"])
    assert json.loads(page.classifier["categories"]) == ["big", "Small"]
    assert (page.classifier["name"], page.classifier["header"]) == ("category", "Is it <big>?")
    assert "not small" in page.said


def test_the_three_forms_come_back_to_the_same_answers(asked):
    receive(asked, "ada.csv", form(asked, "Ada"), delimiter=";")
    receive(asked, "batch_results.csv", mturk(asked, ["W1"]))
    receive(asked, "order.csv", clickworker(asked, ["99"], lambda item: truth(item).upper()))
    run(asked)
    path = store.folder(asked) / "answers.csv"
    before = path.read_bytes()
    rows = list(csv.DictReader(io.StringIO(before.decode())))
    assert len(rows) == 14 + 12 + 12
    assert [row for row in rows if row["item"] == "thing 3" and row["again"] == "False"] == [
        dict(zip(store.ANSWERS, ("thing 3", who, "Small", by, at, "False"), strict=True))
        for who, by, at in (
            ("99", "clickworker", "2013-10-17T09:22:16+02:00"),
            ("Ada", "team", "2026-02-03"),
            ("W1", "mturk", "2018-12-19T16:29:40+00:00"),
        )
    ]
    run(asked)
    assert path.read_bytes() == before
    assert labels_of(asked)["thing 3"] == ("Small", "all")


def changed(rows, line, column, value):
    """Return rows with another value in one cell; lines count from 1, as in an editor."""
    rows = [list(row) for row in rows]
    rows[line - 1][rows[0].index(column)] = value
    return rows


def spoilt(asked):
    """Return bad files by what is bad: name, rows, the sentence."""
    good, batch, order = form(asked, "Ada"), mturk(asked, ["W1"]), clickworker(asked, ["99"])
    other = next(row[3] for row in good if row[3] not in (good[1][3], "item"))
    again = items.task_name(chosen(asked)[0], "thing 1", again=True)
    return {
        "a task of nobody": (
            changed(good, 2, "task", "T0999"),
            "line 2: task T0999 was never asked; take its name from what was sent, or, where question",
        ),
        "a column sorted by itself": (
            changed(good, 2, "item", other),
            f"line 2: {good[1][2]} asks about {good[1][3].removeprefix(chr(39))}, the line says",
        ),
        "no choice": (changed(good, 3, "answer", "bigg"), "line 3: bigg is no choice; write big"),
        "somebody else": (
            changed(good, 3, "annotator", "Eve"),
            "line 3: Eve is not of the team; labelling.yaml names Ada, Ben, Chen",
        ),
        "nobody": (changed(batch, 3, "WorkerId", ""), "line 3: nobody answers; write the annotator's name"),
        "no day": (changed(good, 4, "answered_on", "3.2.2026"), "line 4: 3.2.2026 is no time; write it as"),
        "an answer twice": (
            [*batch, batch[1]],
            f"line 14: W1 answers {batch[1][5]} twice, see {answers.RECEIVED}/bad.csv, line 2; delete",
        ),
        "a rejected assignment": (
            changed(batch, 5, "AssignmentStatus", "Rejected"),
            "line 5: the assignment is Rejected, not Submitted or Approved; delete the line, and have it",
        ),
        "unfinished work": (
            changed(order, 5, "state", "feedback"),
            "line 5: the assignment is feedback, not finished; wait until it is finished",
        ),
        "a repeated task in the crowd": (
            changed(order, 2, "customer_ref", again),
            f"line 2: task {again} was never asked",
        ),
        "rows cut off": (good[:-3], "3 of the 14 tasks of Ada are missing, as number 12; is"),
        "a number changed": (
            changed(good, 2, "number", "1"),
            "line 2: number 1 is not like 3 of 133",
        ),
        "a row cut off": ([*good[:-1], good[-1][:4]], "line 15: another number of cells than the 7 columns"),
        "only a header": (good[:1], "no answers in it; save the file again as it came, or take it away"),
        "another form": ([["a", "b"], ["1", "2"]], "line 1: none of the three forms: the columns are a, b; "),
        "a column twice": ([[*good[0][:-1], "task"], *good[1:]], "line 1: a column stands twice; save it"),
    }


@pytest.mark.parametrize(
    "what",
    [
        "a task of nobody",
        "a column sorted by itself",
        "no choice",
        "somebody else",
        "nobody",
        "no day",
        "an answer twice",
        "a rejected assignment",
        "unfinished work",
        "a repeated task in the crowd",
        "rows cut off",
        "a number changed",
        "a row cut off",
        "only a header",
        "another form",
        "a column twice",
    ],
)
def test_a_bad_answer_is_refused_with_file_line_rule_and_remedy(asked, what):
    rows, sentence = spoilt(asked)[what]
    receive(asked, "bad.csv", rows)
    said = refusal(outcome.find_outcome, asked, *chosen(asked))
    here = [line for line in said if line.startswith(f"{answers.RECEIVED}/bad.csv")]
    assert [line for line in here if sentence in line], said
    assert not store.folder(asked).exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "no answers in it; save the file again as it came, or take it away"),
        ("task;answer\nT0001;größer\n".encode("latin-1"), "not UTF-8 at byte 20; save it as CSV UTF-8"),
        ("task,answer\n".encode("utf-16"), "not UTF-8 at byte 0; save it as CSV UTF-8"),
        (b'task,answer\nT0001,"bi', ", line 2: not whole (unexpected end of data); is the file cut off?"),
        (b"task\0answer\n", "not a text file; save it as CSV UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(asked, content, sentence):
    write(asked.root, f"{answers.RECEIVED}/bad.csv", "")
    (asked.root / answers.RECEIVED / "bad.csv").write_bytes(content)
    (said,) = refusal(outcome.find_outcome, asked, *chosen(asked))
    assert said.startswith(f"{answers.RECEIVED}/bad.csv")
    assert sentence in said


def test_all_bad_files_are_told_at_once_and_what_was_kept_stays(asked):
    receive_team(asked)
    run(asked)
    kept = {path.name: path.read_bytes() for path in store.folder(asked).iterdir()}
    receive(asked, "Ada.csv", form(asked, "Ada", lambda item: "huge"))
    receive(asked, "again.csv", form(asked, "Ben"))
    said = refusal(outcome.find_outcome, asked, *chosen(asked))
    assert f"{answers.RECEIVED}/Ada.csv: 4 more mistakes like these" in said
    assert f"{answers.RECEIVED}/again.csv, line 2: Ben answers " in "\n".join(said)
    assert {path.name: path.read_bytes() for path in store.folder(asked).iterdir()} == kept


def given(table):
    """Return answers from a table: annotator and their answers, a dot where there is none."""
    return [
        answers.Answer(f"item {n}", who, answer, "team", "", again=False)
        for who, theirs in table.items()
        for n, answer in enumerate(theirs.split())
        if answer != "."
    ]


def test_alpha_is_that_of_the_book_with_answers_missing():
    """Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section C: 0.743."""
    found = agreement.agreement(
        given(
            {
                "A": "1 2 3 3 2 1 4 1 2 . . .",
                "B": "1 2 3 3 2 2 4 1 2 5 . 3",
                "C": ". 3 3 3 2 3 4 2 2 5 1 .",
                "D": "1 2 3 3 2 4 4 1 2 5 1 .",
            }
        )
    )
    assert found.alpha == pytest.approx(0.743, abs=0.0005)
    assert found.low < found.alpha < found.high <= 1


@pytest.mark.parametrize(
    ("low", "words"),
    [(0.8, "can be relied on"), (0.7, "good enough for a first look"), (0.6, "they see different things")],
)
def test_the_figure_is_told_in_plain_words_by_its_cautious_end(low, words):
    assert words in agreement.Agreement(0.9, low, 0.95).meaning


@pytest.mark.parametrize("table", [{"A": "x x x", "B": "x x x"}, {"A": "x y .", "B": ". . z"}, {}])
def test_agreement_that_cannot_be_told_from_chance_is_no_agreement(table):
    assert agreement.agreement(given(table)) is None


def test_who_stands_out_is_shown():
    again = answers.Answer("item 0", "A", "y", "team", "", again=True)
    same = answers.Answer("item 1", "A", "x", "team", "", again=True)
    first, second, _ = aggregation.annotators([*given({"A": "x x", "B": "x y", "C": "x x"}), again, same])
    assert (first.name, first.answers, first.like_others, first.like_themselves) == ("A", 4, 0.75, 0.5)
    assert (second.name, second.like_others) == ("B", 0.5)
    assert math.isnan(second.like_themselves)


def others(item):
    """Return wrong answers on four of the twelve things."""
    return {"thing 1": "big", "thing 2": "Small", "thing 3": "big", "thing 4": "Small"}.get(item, truth(item))


def test_too_little_agreement_is_refused_until_all_that_is_disputed_is_decided(asked, capsys):
    receive_team(asked)
    run(asked)
    before = labels_of(asked)
    receive_team(asked, Ben=others)
    capsys.readouterr()
    (said,) = refusal(run, asked)
    assert re.fullmatch(
        r"agreement: 0\.\d+ \(0\.\d+ to 0\.\d+\) is not clearly 0\.8 or more: labels are not joined; make "
        r"the instructions clearer and ask again, or let Grace decide on the 4 disputed items in "
        r"2-research/labelling/adjudication\.csv",
        said,
    )
    assert re.search(r"\nthing 4 +2 big, 1 Small\n", capsys.readouterr().out)
    assert labels_of(asked) == before
    finding = gate.labels_agreed(asked)
    assert (finding.state, finding.evidence) == (gates.State.FAILED, said)
    decide(asked, **{f"thing {n}": "Small" for n in (1, 2, 3, 4)})
    run(asked)
    assert "labels: 12 of 12 items: 8 by all, 4 by Grace\n" in capsys.readouterr().out
    assert labels_of(asked)["thing 2"] == ("Small", "Grace")
    assert gate.labels_agreed(asked).by == "Grace"


def decide(settings, by="Grace", **decisions):
    """Write decisions into the file of what is disputed."""
    path = settings.root / adjudication.FILE
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    for row in rows:
        if row["item"] in decisions:
            row.update(decision=decisions[row["item"]], decided_by=by, reason="seen")
    lines = [list(row.values()) for row in rows]
    write(settings.root, adjudication.FILE, "")
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([list(adjudication.COLUMNS), *lines])


def test_a_tie_has_no_label_until_it_is_decided(tmp_path, capsys):
    choices = [*ASKED["choices"], {"name": "huge", "means": "very big"}]
    settings = ask(tmp_path, choices=choices, minimum_agreement=0.1)
    receive_team(
        settings,
        Ada=lambda item: "huge" if item == "thing 0" else truth(item),
        Ben=lambda item: "Small" if item == "thing 0" else truth(item),
        Chen=lambda item: "Small" if item == "thing 2" else truth(item),
    )
    run(settings)
    said = capsys.readouterr().out
    assert "labels: 11 of 12 items: 10 by all, 1 by majority\n" in said
    assert f"undecided: thing 0; Grace writes the decision into {adjudication.FILE}\n" in said
    assert "joined: 11 of 13 rows of things have a label, in data/raw/things_labelled.parquet\n" in said
    assert "thing 0" not in labels_of(settings)
    assert labels_of(settings)["thing 2"] == ("big", "majority")
    asked_of = (tmp_path / adjudication.FILE).read_text(encoding="utf-8")
    assert asked_of == f"{','.join(adjudication.COLUMNS)}\nthing 0,Small: Ben; big: Chen; huge: Ada,,,\n"
    finding = gate.labels_agreed(settings)
    assert finding.state is gates.State.OPEN
    assert finding.evidence.startswith("11 of 12 items have a label; alpha 0.")
    decide(settings, **{"thing 0": "huge"})
    assert gate.labels_agreed(settings).evidence == "there are answers that were not read yet"
    run(settings)
    assert labels_of(settings)["thing 0"] == ("huge", "Grace")
    assert gate.labels_agreed(settings).evidence.endswith("; 12 of 12 items have a label")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("thing 0,,huge,,Grace", "line 2: huge is no choice; write one of big, Small"),
        ("thing 0,,big,,Ada", "line 2: decided by Ada, but the adjudicator is Grace; only they decide"),
        ("thing 0,,big,,", "line 2: decided by nobody, but the adjudicator is Grace; only they decide"),
        ("thing 99,,big,,Grace", "line 2: thing 99 was never asked about; delete the line"),
        ("thing 0,,big", "line 2: another number of cells than the 5 columns; is"),
        ('thing 0,,big,"cut', "not whole (unexpected end of data)"),
        ("thing 0,,,,\nthing 0,,big,,Grace", "line 3: thing 0 stands twice; delete one"),
    ],
)
def test_a_bad_decision_is_refused(asked, line, sentence):
    receive_team(asked)
    write(asked.root, adjudication.FILE, f"{','.join(adjudication.COLUMNS)}\n{line}\n")
    (said,) = refusal(run, asked)
    assert said.startswith(adjudication.FILE)
    assert sentence in said


def test_decisions_without_the_right_columns_are_refused(asked):
    receive_team(asked)
    write(asked.root, adjudication.FILE, "item,decision\nthing 0,big\n")
    told = "line 1: the columns are not item, answers, decision, reason, decided_by; write them so"
    assert refusal(run, asked) == [f"{adjudication.FILE}, {told}"]


def test_answers_that_are_missing_are_waited_for(asked, capsys):
    receive_team(asked, Chen=lambda item: "" if item == "thing 5" else truth(item))
    run(asked)
    said = capsys.readouterr().out
    assert re.search(r"received/Chen\.csv: [12] without an answer\n", said)
    assert "labels: 11 of 12 items: 11 by all\n1 items wait for the answers of 3 people\n" in said
    assert "thing 5" not in labels_of(asked)


def test_answers_that_are_all_the_same_give_no_labels(asked):
    receive_team(asked, **{name: lambda item: "big" for name in TEAM})
    (said,) = refusal(run, asked)
    assert said.startswith("agreement: it can't be told: no two answers on one item, or all the same; labels")


def test_the_etl_offers_the_labels_and_joins_them_whether_there_are_any_or_not(asked):
    joined = "SELECT count(*), count(labelled_as), count(*) FILTER (WHERE labelled_as = 'Small') FROM '{}'"

    def load():
        with engine.connect(asked) as connection:
            etl_tables.offer(connection, asked)
            offered = engine.rows(connection, "SELECT item, label FROM labels ORDER BY item")
            return offered, etl_tables.load(connection, asked)

    name = "data/raw/things_labelled.parquet"
    assert load() == ([], [(name, 13, "joined"), (name, 0, "with a label")])
    receive(asked, "bad.csv", [["a"], ["b"]])
    assert load() == (
        [],
        [(name, 13, "joined"), (name, 0, "with a label; answers are refused: `labels` says why")],
    )
    (asked.root / answers.RECEIVED / "bad.csv").unlink()
    receive_team(asked)
    offered, rows = load()
    assert len(offered) == 12
    assert {"item": "=1+1", "label": "Small"} in offered
    assert rows == [(name, 13, "joined"), (name, 12, "with a label")]
    path = asked.workspace / name
    before = path.read_bytes()
    assert duckdb.sql(joined.format(path)).fetchall() == [(13, 12, 6)]
    assert load()[1] == rows
    assert path.read_bytes() == before


def test_what_the_labels_are_worth_is_shown_and_a_wrong_statement_is_told(tmp_path, capsys):
    columns = "label, count(*) AS things, CAST(0.25 AS DOUBLE) AS share"
    worth = f"SELECT {columns} FROM labels GROUP BY label ORDER BY label"
    settings = ask(tmp_path, worth=worth)
    receive_team(settings)
    run(settings)
    assert capsys.readouterr().out.endswith(
        "\nlabel  things  share\nSmall       6  0.250\nbig         6  0.250\n"
    )
    write(tmp_path, task.FILE, yaml.safe_dump(ASKED | {"worth": "SELECT moon FROM labels"}))
    (said,) = refusal(run, settings)
    assert said.startswith(f"{task.FILE}: worth: Binder Error")


def test_the_gate_says_what_comes_next(asked):
    found = gate.labels_agreed(asked)
    assert (found.state, found.evidence) == (gates.State.OPEN, f"no answers in {answers.RECEIVED}/")
    assert found.next_step.endswith("labels --sample 20000 --export team")
    receive_team(asked)
    assert gate.labels_agreed(asked).next_step.endswith("labels --sample 20000")
    run(asked)
    found = gate.labels_agreed(asked)
    assert (found.state, found.evidence, found.by) == (
        gates.State.DONE,
        "alpha 1.000 (1.000 to 1.000), minimum 0.8; 12 of 12 items have a label",
        "",
    )
    (asked.root / task.FILE).unlink()
    assert gate.labels_agreed(asked) == gates.done("nothing is labelled")


def test_a_blank_form_asks_nobody_and_stops_nothing(asked, capsys):
    write(asked.root, task.FILE, 'question: "?"\n')
    assert run(asked) is None
    told = f"nobody is asked anything yet; {task.FILE} says what, once it is filled in\n"
    assert capsys.readouterr().out == told
    assert gate.labels_agreed(asked).evidence == f"{task.FILE} asks nothing yet"
    with engine.connect(asked) as connection:
        assert etl_tables.load(connection, asked) == []
    assert refusal(task.read_task, asked) == [f"{task.FILE}, line 1: question: nothing is asked; write it"]


def test_without_answers_it_says_how_to_get_them(asked, capsys):
    assert run(asked) is None
    told = f"no answers yet in {answers.RECEIVED}/; --export writes the forms, and says what they cost\n"
    assert capsys.readouterr().out == told


def test_a_team_without_names_gets_no_forms(tmp_path):
    settings = ask(tmp_path, team=[])
    assert refusal(run, settings, "team") == [f"{task.FILE}: team: nobody is named; write who answers"]


def test_without_raw_tables_the_etl_is_asked_for(asked):
    (asked.workspace / "data" / "raw" / "things.parquet").unlink()
    (said,) = refusal(chosen, asked)
    assert said.endswith("things.parquet: no such file yet; run `etl` first")


def test_rows_that_a_service_gives_are_asked_about_like_those_of_a_file(tmp_path):
    things = RawRows(lambda settings: [], COLUMNS, minimum_rows=1)
    settings = ask(tmp_path, {"raw_tables": {**PROJECT.raw_tables, "things": things}})
    assert {item.value for item in chosen(settings)[1]} == {*THINGS}
    changed = ASKED | {"items": ASKED["items"] | {"column": "size"}}
    write(tmp_path, task.FILE, yaml.safe_dump(changed))
    (said,) = refusal(chosen, settings)
    assert said.endswith("items.column: things has no column size; take one of name, colour")


def test_a_column_may_be_called_as_a_word_of_sql(tmp_path):
    table = RawRows(lambda settings: [], {"order": "VARCHAR", "group": "VARCHAR"}, minimum_rows=1)
    asked = {"table": "things", "column": "order", "show": ["group"], "seed": 1}
    settings = ask(tmp_path, {"raw_tables": {**PROJECT.raw_tables, "things": table}}, items=asked)
    path = settings.workspace / "data" / "raw" / "things.parquet"
    renamed = 'SELECT name AS "order", colour AS "group" FROM things'
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE things AS SELECT * FROM '{path}'").fetchall()
        connection.execute(f"COPY ({renamed}) TO '{path}' (FORMAT parquet)").fetchall()
    receive_team(settings)
    run(settings)
    assert labels_of(settings)["thing 3"] == ("Small", "all")
    joined = settings.workspace / "data" / "raw" / "things_labelled.parquet"
    assert duckdb.sql(f"SELECT count(labelled_as) FROM '{joined}'").fetchall() == [(12,)]


def test_without_nltk_the_extra_is_named_and_the_etl_goes_on(asked, monkeypatch, capsys):
    receive_team(asked)
    monkeypatch.setitem(sys.modules, "nltk", None)
    for name in [name for name in sys.modules if name.startswith("nltk.")]:
        monkeypatch.delitem(sys.modules, name)
    assert cli.run(asked.project, ["labels"]) == 1
    told = capsys.readouterr().err
    assert (
        told
        == "error: labels: nltk is not installed; it comes with handrail[labelling], see pyproject.toml\n"
    )
    with engine.connect(asked) as connection:
        etl_tables.offer(connection, asked)
        assert engine.rows(connection, "SELECT count(*) AS n FROM labels") == [{"n": 0}]
