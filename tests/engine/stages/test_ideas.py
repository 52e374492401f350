"""The shortlist: what the ranking says, how far it can be trusted, and every mistake told at once."""

import json
import re

import pytest
import yaml

from handrail import errors
from handrail.stages import ideas, ideas_chart, ideas_report, sensitivity
from tests.engine.support.evidence import IDEA, IDEAS, ROOT, write, write_facts, write_ideas
from tests.engine.support.names import ENV_PREFIX, commands
from tests.engine.support.workspaces import PROJECT

SURE = ideas.Idea(**IDEA | {"name": "sure", "value": 100, "cost": 10, "chance": 0.5})
BOLD = ideas.Idea(
    **IDEA | {"name": "bold", "value": 200, "cost": 10, "chance": 0.1, "chance_range": [0, 0.6]}
)


def shortlist(*changes):
    """Return a shortlist of ideas that differ from the usual one."""
    return ideas.Shortlist(currency="EUR", ideas=[IDEA | change for change in changes])


def refused(root, text):
    """Return the sentences with which a shortlist is refused."""
    write_facts(root)
    write(root, ideas.FILE, text)
    with pytest.raises(errors.ProjectError) as found:
        ideas.read_ideas(PROJECT.at(root).settings())
    return list(found.value.problems)


def test_what_would_have_to_be_true_to_pay():
    assert sensitivity.break_even(SURE) == sensitivity.BreakEven(chance=0.1, value=20, cost=50)


def test_what_would_have_to_be_true_to_come_first():
    assert sensitivity.break_even_to_lead(BOLD, [SURE, BOLD]) == sensitivity.BreakEven(
        chance=0.25, value=500, cost=-20
    )
    assert sensitivity.break_even_to_lead(SURE, [SURE, BOLD]) == sensitivity.BreakEven(
        chance=0.2, value=40, cost=40
    )
    assert sensitivity.break_even_to_lead(SURE, [SURE]) is None


def test_at_the_point_where_it_pays_it_returns_nothing():
    for field in sensitivity.UNCERTAIN:
        moved = SURE.model_copy(update={field: getattr(sensitivity.break_even(SURE), field)})
        assert moved.expected_return == pytest.approx(0)


def test_an_idea_of_no_value_or_no_chance_never_pays():
    rows = ideas_report.paying_rows(shortlist({"name": "a", "value": 0}, {"name": "b", "chance": 0}))
    assert rows == [("a", "never", "≥ 20", "≤ 0"), ("b", "≥ 10%", "never", "≤ 0")]


def test_what_is_certain_always_comes_first():
    certain = BOLD.model_copy(update={"chance_range": None})
    assert sensitivity.shares_first([SURE, certain]) == {"sure": 1.0, "bold": 0.0}


def test_what_is_uncertain_comes_first_as_often_as_the_triangle_says():
    # Bold wins at a chance above 0.25; triangle from 0 over 0.1 to 0.6: (0.6 - 0.25)² / (0.6 * 0.5).
    assert sensitivity.shares_first([SURE, BOLD])["bold"] == pytest.approx(0.35**2 / 0.3, abs=0.015)
    assert sensitivity.shares_first([SURE, BOLD]) == sensitivity.shares_first([SURE, BOLD])


def test_the_number_that_decides_is_named():
    assert list(sensitivity.swings([SURE, BOLD])) == [sensitivity.Swing("bold", "chance", 0.6, "bold")]
    listed = ideas.Shortlist(currency="EUR", ideas=(SURE, BOLD))
    assert ideas_report.swing_lines(listed) == ["If the chance of bold is 60%, bold comes first."]
    assert ideas_report.swing_lines(shortlist({}, {"name": "other", "value": 10})) == [
        "No single number, anywhere in its range, changes which idea comes first."
    ]


def test_where_nothing_pays_no_is_the_good_outcome():
    said = ideas_report.verdict(shortlist({"cost": 60}, {"name": "worse", "cost": 70}))
    assert said == "No idea pays: the best, first, returns -10 EUR. A no-go is the good outcome here."


def test_the_picture_shows_every_idea_as_large_as_its_cost():
    drawn = ideas_chart.chart([SURE, BOLD.model_copy(update={"cost": 40.0})], "sure", "EUR")
    radii = [float(radius) for radius in re.findall(r'<circle [^>]* r="([\d.]+)"', drawn)]
    assert radii[1] == pytest.approx(2 * radii[0])
    assert drawn.count(ideas_chart.ORANGE) == 2
    assert {">sure<", ">bold<", ">100%<"} <= set(re.findall(r">[^<>]+<", drawn))


@pytest.mark.parametrize("value", [0, 0.3, 7, 4e12])
def test_any_amount_fits_the_picture(value):
    drawn = ideas_chart.chart([SURE.model_copy(update={"value": value, "cost": 0.0})], None, "EUR")
    (y,) = re.findall(r'cy="([\d.-]+)"', drawn)
    assert 0 < float(y) < ideas_chart.HEIGHT
    assert 3 <= drawn.count('text-anchor="end"') <= 12


def test_text_cannot_break_the_page(tmp_path):
    write_facts(tmp_path)
    page = ideas_report.page(
        PROJECT.at(tmp_path).settings(), shortlist({"name": "<script>alert(1)</script>"})
    )
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r'(src|href)="?http', page)


def test_the_command_ranks_and_writes_the_page(tmp_path, monkeypatch, capsys):
    write_facts(tmp_path)
    write_ideas(tmp_path, ideas=[IDEA | {"name": "second", "value": 50, "value_range": [40, 120]}, IDEA])
    monkeypatch.chdir(tmp_path)
    assert commands.main(["ideas"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^first +40 ", said, re.MULTILINE)
    assert "If the value of second is 120, second comes first." in said
    assert said.endswith("page reports/ideas.html\n")
    assert "<circle" in (tmp_path / "reports/ideas.html").read_text(encoding="utf-8")


def test_the_page_of_a_workspace_elsewhere_is_told_whole(tmp_path, monkeypatch, capsys):
    root, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    write_facts(root)
    write_ideas(root)
    monkeypatch.chdir(root)
    monkeypatch.setenv(f"{ENV_PREFIX}WORKSPACE", str(elsewhere))
    assert commands.main(["ideas"]) == 0
    assert capsys.readouterr().out.endswith(f"page {elsewhere / 'reports' / 'ideas.html'}\n")


def test_an_empty_list_is_refused_by_the_command(tmp_path, monkeypatch, capsys):
    write_facts(tmp_path)
    write_ideas(tmp_path, chosen=None, ideas=[])
    monkeypatch.chdir(tmp_path)
    assert commands.main(["ideas"]) == 1
    assert (
        capsys.readouterr().err
        == f"error: {ideas.FILE}: no ideas in it; write down two or more, also those you doubt\n"
    )


def test_the_projects_own_shortlist_can_be_read():
    assert ideas.read_ideas(PROJECT.settings()).currency


def test_editors_check_by_the_same_rules():
    told = json.loads((ROOT / ideas.SCHEMA).read_text(encoding="utf-8"))
    assert told == json.loads(json.dumps(ideas.schema())), "write it anew: ideas --schema"
    assert "$schema=./ideas.schema.json" in (ROOT / ideas.FILE).read_text(encoding="utf-8").splitlines()[0]


def test_all_mistakes_are_told_together_in_the_order_of_the_file(tmp_path):
    text = """currency: EUR
chosen: none of them
ideas:
  - name: first
    title: ""
    value: 1,000
    cost: 10
    cost: 20
    effort_weeks: 0
    chance: 70%
    chance_range: [0.9, 0.5]
    acuracy_needed: some
    data_at_hand: no
    error_tolerance: high
    risks: [none known]
  - name: first
"""
    found = [line.removeprefix(f"{ideas.FILE}, ") for line in refused(tmp_path, text)]
    assert [re.split(r" \(given|; ", line)[0] for line in found] == [
        "line 4: ideas.first.accuracy_needed: is missing",
        "line 5: ideas.first.title: String should have at least 1 character",
        "line 6: ideas.first.value: Input should be a valid number",
        "line 8: cost: a second one of that name",
        "line 9: ideas.first.effort_weeks: Input should be greater than 0",
        "line 10: ideas.first.chance: Input should be a valid number",
        "line 12: ideas.first.acuracy_needed: no such field",
        "line 13: ideas.first.data_at_hand: Input should be a valid string",
        "line 16: first: a second one of that name",
        *[f"line 16: ideas.first.{field}: is missing" for field in sorted(IDEA) if field != "name"],
    ]
    assert found[5].endswith(
        "(given: '70%'); write how likely it reaches the accuracy it needs, from 0 to 1: 0.7 for 70%"
    )
    assert found[6].endswith("; write accuracy_needed")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"chance": 1.4}, "chance: Input should be less than or equal to 1 (given: 1.4)"),
        ({"chance": True}, "chance: Input should be a valid number (given: True)"),
        ({"value": float("inf")}, "value: Input should be a finite number (given: inf)"),
        ({"value_range": [1, 2]}, "value_range: 100 is not between 1 and 2; write [lowest, highest]"),
        ({"cost_range": [5]}, "cost_range.#2: is missing"),
        ({"chance_range": [0, 2]}, "chance_range.#2: Input should be less than or equal to 1 (given: 2)"),
        ({"risks": "many"}, "risks: should be a list (given: 'many'); write a list of one risk or more"),
    ],
)
def test_an_impossible_number_is_refused(tmp_path, changes, sentence):
    (found,) = refused(tmp_path, yaml.safe_dump(IDEAS | {"ideas": [IDEA | changes]}))
    assert f": ideas.first.{sentence}" in found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("currency: EUR\nideas: [\n", "line 3: not valid YAML"),
        ("currency: EUR\n\tideas: []\n", "line 2: not valid YAML: found character '\\t'"),
        ("currency: EUR\nideas: []\nchosen: \x01\n", "line 3: an invisible control character; delete it"),
        pytest.param(
            "ideas: " + "[" * 5000, "lists within lists without end; write it flatter", id="5000 brackets"
        ),
        ("ideas: &all [*all]\n", "lists within lists without end; write it flatter"),
        (
            "ideas: !!python/object:os.system []\n",
            "line 1: not valid YAML: could not determine a constructor",
        ),
        ("", "line 1: expected names and values; write each as `name: value`"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path, text, sentence):
    (found,) = refused(tmp_path, text)
    assert sentence in found
