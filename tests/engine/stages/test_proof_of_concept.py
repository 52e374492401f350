"""The proof of concept: a small run's figures, time and cost stand in the decision page."""

from datetime import date

import pytest

from handrail import errors
from handrail.config.budget import Budget
from handrail.registry import versions
from handrail.stages import proof_of_concept
from tests.engine.support.evidence import ROOT, write
from tests.engine.support.names import commands

TODAY = date(2026, 3, 1)
PAGE = f"# The decision\n\n## Proof\n\n{proof_of_concept.BEGIN}\nold\n{proof_of_concept.END}\n\n## After\n"
RESEARCH = {"begins": TODAY, "cost_per_hour": 36}


@pytest.fixture
def decided(project, tmp_path):
    """Return settings of a trained project with a decision page and a price of the machine."""
    write(tmp_path, proof_of_concept.FILE, PAGE)
    budget = Budget.model_validate({"currency": "EUR", "total": 10, "spent": 0, "research": RESEARCH})
    return project.model_copy(update={"root": tmp_path, "budget": budget})


def test_the_figures_of_the_run_replace_the_old_ones(decided):
    version = versions.load_version(decided, versions.newest_version(decided))
    proof_of_concept.record(decided, version, {"etl": 1.5, "train": 8.5}, TODAY)
    text = (decided.root / proof_of_concept.FILE).read_text(encoding="utf-8")
    metric, evaluation = version.info["metric"], version.info["evaluation"]
    assert f"| {metric} of the model | {evaluation['model'][metric]['value']:.3f} (" in text
    assert f"| {metric} of the simple technique | {evaluation['baseline'][metric]['value']:.3f} |" in text
    assert f"| {metric} needed | {decided.accuracy.minimum:g}: reached |" in text
    assert "| time | 10 s: etl 1.5 s, train 8.5 s |" in text
    assert "| cost | 0.10 EUR, at 36 an hour |" in text
    assert "old" not in text
    assert text.startswith("# The decision\n\n## Proof\n")
    assert text.endswith("\n\n## After\n")


def test_a_minimum_that_is_missed_is_said(decided):
    version = versions.load_version(decided, versions.newest_version(decided))
    told = [
        "\n".join(
            proof_of_concept.describe(
                decided.model_copy(
                    update={"accuracy": decided.accuracy.model_copy(update={"minimum": minimum})}
                ),
                version,
                {},
                TODAY,
            )
        )
        for minimum in (-100.0, 100.0)
    ]
    assert sum(": not reached |" in text for text in told) == 1


def test_without_a_price_the_cost_is_not_known(decided):
    told = proof_of_concept.cost(decided.model_copy(update={"budget": None}), 10)
    assert told == "not known: project.yaml has no budget.research.cost_per_hour"


def test_a_page_without_a_place_is_refused(decided):
    write(decided.root, proof_of_concept.FILE, "# The decision\n")
    with pytest.raises(errors.ProjectError, match="no place for the result; write these two lines"):
        proof_of_concept.halves(decided)


def test_all_rows_are_no_proof_of_concept(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert commands.main(["demo", "--record"]) == 1
    told = capsys.readouterr()
    assert told.err.endswith(
        "error: --record: a proof of concept is small; add --sample, as in --sample 50000\n"
    )
    assert told.out == ""
