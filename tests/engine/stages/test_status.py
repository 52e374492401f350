"""The gates: good evidence passes, bad evidence fails with its reason, missing evidence is open."""

import pytest
import yaml

from handrail import cli
from handrail.etl.raw_files import RawRows
from handrail.stages import discovery, gates, go_ahead, ideas, status
from tests.engine.support.evidence import IDEA, IDEAS, SENTENCE, discovered, write, write_ideas
from tests.engine.support.names import UNBOUND, commands
from tests.engine.support.workspaces import PROJECT, with_given

IDEAS_FILE = "1-discovery/ideas.yaml"


def stage(settings, folder="1-discovery"):
    """Return a stage with what was found."""
    return next(found for found in gates.read_stages(settings) if found.folder == folder)


def finding(settings, title):
    """Return what a check of discovery found."""
    return stage(settings).findings[title]


def test_good_evidence_passes(tmp_path):
    found = stage(discovered(tmp_path))
    assert found.passed
    assert found.findings["ideas ranked"].evidence == "first is first of 2, expected return 40 EUR"
    assert found.findings["decision made"] == gates.done("go, 2026-01-16", by="Ada")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"chosen": "second"}, "second is chosen and returns 15 EUR, but first returns 40 EUR"),
        (
            {"ideas": [IDEA | {"cost": 60}, IDEA | {"name": "second", "cost": 70}]},
            "first is chosen but returns -10 EUR",
        ),
        ({"chosen": "third"}, "chosen: third is none of the ideas; take one of first, second"),
        ({"ideas": [IDEA, IDEA]}, "line 4: first: a second one of that name; give it a name of its own"),
    ],
)
def test_a_wrong_choice_fails(tmp_path, changes, sentence):
    settings = discovered(tmp_path)
    write_ideas(tmp_path, **changes)
    found = finding(settings, "ideas ranked")
    assert found.state is gates.State.FAILED
    assert sentence in found.evidence


def test_impossible_numbers_fail_with_line_field_and_rule(tmp_path):
    settings = discovered(tmp_path)
    write_ideas(tmp_path, ideas=[IDEA, IDEA | {"name": "second", "chance": 1.4, "cost": -5, "risks": []}])
    lines = (tmp_path / IDEAS_FILE).read_text(encoding="utf-8").splitlines()
    cost, chance, risks = (
        max(number for number, line in enumerate(lines, start=1) if f"{field}:" in line)
        for field in ("cost", "chance", "risks")
    )
    sentences = [
        f"line {chance}: ideas.second.chance: Input should be less than or equal to 1 (given: 1.4); write "
        "how likely it reaches the accuracy it needs, from 0 to 1: 0.7 for 70%",
        f"line {cost}: ideas.second.cost: Input should be greater than or equal to 0 (given: -5); write what "
        "it costs to build it and run it for a year, an amount in the file's currency, without separators, "
        "as 150000",
        f"line {risks}: ideas.second.risks: List should have at least 1 item, not 0; write a list of one "
        "risk or more",
    ]
    found = finding(settings, "ideas ranked").evidence.splitlines()
    assert found == [f"{IDEAS_FILE}, {sentence}" for sentence in sentences]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("currency: EUR\nideas: [\n", "line 3: not valid YAML"),
        (
            "currency: EUR\nideas: 5\n",
            "line 2: ideas: should be a list (given: 5); write a list of ideas, each",
        ),
        (
            "currency: EUR\n",
            "line 1: ideas: is missing; write a list of ideas, each beginning with `- name:`",
        ),
        ("ideas\n", "line 1: expected names and values; write each as `name: value`"),
        (
            "currency: EUR\nideas: []\nwhen: 2026-02-30\n",
            "line 3: when: no such field; take one of currency, ideas, chosen",
        ),
    ],
)
def test_a_shortlist_that_cannot_be_read_fails(tmp_path, text, sentence):
    settings = discovered(tmp_path)
    write(tmp_path, IDEAS_FILE, text)
    found = finding(settings, "ideas ranked")
    assert found.state is gates.State.FAILED
    assert found.evidence.startswith(IDEAS_FILE)
    assert sentence in found.evidence


@pytest.mark.parametrize(
    ("changes", "evidence", "next_step"),
    [
        ({"chosen": None}, f"no idea is chosen in {IDEAS_FILE}", "choose; first ranks first"),
        ({"ideas": [IDEA]}, f"one idea in {IDEAS_FILE}", "write down two or more, to have a choice"),
    ],
)
def test_a_choice_that_is_not_made_is_open(tmp_path, changes, evidence, next_step):
    settings = discovered(tmp_path)
    write_ideas(tmp_path, **changes)
    assert finding(settings, "ideas ranked") == gates.still_open(evidence, next_step)


def test_a_heading_without_a_text_is_open(tmp_path):
    settings = discovered(tmp_path)
    write(
        tmp_path,
        "1-discovery/problem.md",
        "# Problem\n\n## Today\n\nFlights are late, one in five.\n\n## Worth\n\n<!-- how much? -->\n",
    )
    assert finding(settings, "problem stated").evidence == "1-discovery/problem.md says nothing on: Worth"
    (tmp_path / "1-discovery/problem.md").unlink()
    assert finding(settings, "problem stated").state is gates.State.OPEN


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Yes.", "too little"),
        ("TODO", "too little"),
        ("todo todo todo todo todo todo", "too little"),
        ("see above", "too little"),
        ("| what | worth | of | every | row |\n|---|---|---|---|---|", "nothing"),
        ("One flight in five is late.", None),
        ("| what | worth |\n|---|---|\n| a warning that is right | 200 USD |", None),
        ("五便に一便が遅れています", None),
        ("Each fifth flight was late in 2013", None),
    ],
)
def test_a_word_is_not_a_problem_stated(tmp_path, text, said):
    settings = discovered(tmp_path)
    write(tmp_path, "1-discovery/problem.md", f"## Today\n\n{SENTENCE}\n\n## Worth\n\n{text}\n")
    found = finding(settings, "problem stated")
    if said is None:
        assert found.state is gates.State.DONE
    else:
        evidence = f"1-discovery/problem.md says {said} on: Worth"
        assert (found.state, found.evidence) == (gates.State.OPEN, evidence)


def test_a_text_in_another_encoding_fails(tmp_path):
    settings = discovered(tmp_path)
    (tmp_path / "1-discovery/data.md").write_bytes("## Größe\n\nGroß.\n".encode("latin-1"))
    found = finding(settings, "data understood")
    assert found.evidence == "1-discovery/data.md: not UTF-8 at byte 5; save it as UTF-8"


def test_a_decision_needs_its_reasons(tmp_path):
    settings = discovered(tmp_path)
    write(tmp_path, "1-discovery/decision.md", "## Why\n")
    assert finding(settings, "decision made").evidence == "1-discovery/decision.md says nothing on: Why"
    assert discovery.decision_made(discovered(tmp_path, decision={"go": "open"})).state is gates.State.OPEN


def test_no_is_a_good_outcome(tmp_path):
    found = finding(discovered(tmp_path, decision={"go": "no-go"}), "decision made")
    assert found == gates.done("no-go, 2026-01-16", by="Ada")


def test_after_a_no_it_says_so_kindly_and_asks_for_nothing(tmp_path, monkeypatch, capsys):
    discovered(tmp_path, decision={"go": "no-go"})
    write_ideas(tmp_path, ideas=[IDEA | {"cost": 60}, IDEA | {"name": "second", "cost": 70}])
    monkeypatch.chdir(tmp_path)
    assert commands.main(["status"]) == 0
    said = capsys.readouterr()
    assert "first returns -10 EUR, and the answer is no\n" in said.out
    assert said.out.splitlines()[-1].startswith(
        "The answer is no, by Ada on 2026-01-16: a good outcome, reached cheaply. Nothing more is asked"
    )
    assert "Next" not in said.out
    assert "2-research" not in said.out
    assert said.err == ""


@pytest.mark.parametrize(
    ("decision", "sentence"),
    [
        ({"go": "go"}, None),
        ({"go": "open"}, "project.yaml: nobody has said go yet"),
        ({"go": "no-go"}, "project.yaml: Ada said no-go on 2026-01-16; stop here"),
    ],
)
def test_without_a_go_later_verbs_warn_in_one_line(tmp_path, monkeypatch, capsys, decision, sentence):
    discovered(tmp_path, decision=decision)
    monkeypatch.chdir(tmp_path)
    main = cli.command_line(UNBOUND)
    main.verb("later")(lambda settings: None)
    assert main.run(["later"]) == 0
    warned = capsys.readouterr().err
    assert warned.startswith(f"warning: {sentence}") if sentence else warned == ""
    assert warned.count("\n") == (1 if sentence else 0)
    assert main.run(["later"], warned=True) == 0
    assert capsys.readouterr().err == ""


def test_strict_fails_until_somebody_says_go(tmp_path, monkeypatch, capsys):
    discovered(tmp_path, decision={"go": "open"})
    monkeypatch.chdir(tmp_path)
    assert commands.main(["status"]) == 0
    assert commands.main(["status", "--strict"]) == 1
    refusal = "neither go nor no-go; decide, with name and date, in project.yaml"
    assert capsys.readouterr().err == f"error: 1-discovery: decision made: {refusal}\n"
    discovered(tmp_path, decision={"go": "go"})
    assert commands.main(["status", "--strict"]) == 0


def test_what_the_worked_example_signed_does_not_count_for_own_data(tmp_path):
    settings = discovered(tmp_path)
    here, elsewhere = (settings.data.model_copy(update={"source": each}) for each in (None, tmp_path))
    settings, own = settings.model_copy(update={"data": here}), {"example": True, "data": elsewhere}
    assert stage(settings.model_copy(update={"example": True})).passed
    borrowed = settings.model_copy(update=own)
    findings = stage(borrowed).findings.values()
    assert {found.evidence for found in findings} == {"that of the worked example, not of your data"}
    assert go_ahead.missing_go(borrowed).startswith("project.yaml: the go is that of the worked example")
    assert stage(settings.model_copy(update=own | {"example": False})).passed


def test_rows_of_a_service_are_own_data_without_a_folder(tmp_path):
    def asked(settings):
        return []

    settings = discovered(tmp_path).model_copy(update={"example": True})
    assert (settings.data.source, settings.borrowed) == (None, False)
    rows = RawRows(asked, {"name": "VARCHAR"}, minimum_rows=1)
    own = with_given(settings, raw_tables={**PROJECT.raw_tables, "calls": rows})
    assert own.borrowed
    assert go_ahead.missing_go(own).startswith("project.yaml: the go is that of the worked example")


def test_ideas_are_ranked_by_what_they_return(tmp_path):
    settings = discovered(tmp_path)
    sure, bold = (
        IDEA | {"name": "sure", "value": 60, "chance": 1},
        IDEA | {"name": "bold", "value": 1000, "chance": 0.05},
    )
    write_ideas(tmp_path, chosen="sure", ideas=[bold, IDEA, sure])
    ranked = ideas.read_ideas(settings).ranked()
    assert [(idea.name, idea.expected_return) for idea in ranked] == [
        ("sure", 50),
        ("bold", 40),
        ("first", 40),
    ]


def test_open_is_refused_only_once_a_later_stage_has_begun():
    early = gates.Stage("1-discovery", begun=True, findings={"texts": gates.still_open("none", "write")})
    late = gates.Stage("2-research", begun=False, findings={"data loaded": gates.still_open("none", "load")})
    assert gates.refusals([early, late]) == []
    begun = gates.Stage("2-research", begun=True, findings=late.findings)
    assert gates.refusals([early, begun]) == ["1-discovery: texts: none, though 2-research has begun; write"]


def test_the_next_step_is_what_failed_then_what_is_open():
    failed = gates.Finding(gates.State.FAILED, "bad", "mend it")
    findings = {"a": gates.done("yes"), "b": gates.still_open("none", "do it"), "c": failed}
    assert status.next_step([gates.Stage("1-x", True, findings)]) == "Next (1-x, c): mend it"
    del findings["c"]
    assert status.next_step([gates.Stage("1-x", True, findings)]) == "Next (1-x, b): do it"
    del findings["b"]
    assert status.next_step([gates.Stage("1-x", True, findings)]) == "Next: nothing; every gate is passed"


def test_strict_fails_on_bad_evidence_and_passes_on_good(tmp_path, monkeypatch, capsys):
    discovered(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert commands.main(["status", "--strict"]) == 0
    assert "1-discovery: passed\n  done    ideas ranked" in capsys.readouterr().out
    write(tmp_path, IDEAS_FILE, yaml.safe_dump(IDEAS | {"chosen": "second"}))
    assert commands.main(["status"]) == 0
    assert commands.main(["status", "--strict"]) == 1
    assert capsys.readouterr().err.startswith(
        f"error: 1-discovery: ideas ranked: {IDEAS_FILE}: second is chosen and returns 15 EUR, but first"
    )
