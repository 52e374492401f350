"""The page for the sponsor: what it says of each stage, of money, and that it stands alone."""

import re
import subprocess
from datetime import date
from html.parser import HTMLParser

from handrail.stages import gates, status_page
from tests.engine.support.evidence import discovered, write_ideas
from tests.engine.support.names import commands

TODAY = date(2026, 3, 1)
BUDGET = {"currency": "EUR", "total": 1000, "spent": 200}
VOID = {"meta"}


class Tags(HTMLParser):
    """Collects the words of a page, and refuses a tag that is closed without being open."""

    def __init__(self):
        super().__init__()
        self.open, self.words = [], []

    def handle_starttag(self, tag, attrs):
        self.open += [] if tag in VOID or tag == "br" else [tag]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data.split()


def shown(settings, stages=None):
    """Return the page and its words, having seen that its markup is sound and needs no network."""
    text = status_page.page(settings, stages or gates.read_stages(settings), TODAY)
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    assert not re.search(r"(src|href)=|https?:|@import|<script", text)
    return text, " ".join(tags.words[tags.words.index("1") :])


def test_it_tells_the_four_stages_who_and_what_it_costs(tmp_path):
    settings = discovered(tmp_path, budget=BUDGET)
    text, words = shown(settings, gates.read_stages(settings)[:1])
    assert words.startswith(
        "1 Discovery passed 2 Research not part of the project yet 3 Production not part of the project yet "
        "4 Operation not part of the project yet"
    )
    assert "200 of 1,000 EUR spent, 800 left." in words
    assert 'style="width: 20.0%"' in text
    assert "done decision made go, 2026-01-16 Ada" in words
    assert words.endswith("Where the project stands on 2026-03-01.")


def test_what_is_missing_stands_there_with_the_next_step(tmp_path):
    settings = discovered(tmp_path, decision={"go": "open"})
    _, words = shown(settings)
    assert (
        "open decision made neither go nor no-go Next: decide, with name and date, in project.yaml" in words
    )
    assert "1 Discovery 3 of 4 done" in words


def test_a_failure_and_an_overspent_budget_are_marked(tmp_path):
    settings = discovered(tmp_path, budget=BUDGET | {"spent": 1200})
    write_ideas(tmp_path, chosen="second")
    text, words = shown(settings)
    assert '<div class="failed"><dd>1 Discovery</dd>' in text
    assert '<div class="over" style="width: 100.0%">' in text
    assert "1,200 of 1,000 EUR spent, 200 more than agreed." in words


def test_after_a_no_nothing_more_is_asked_for(tmp_path):
    _, words = shown(discovered(tmp_path, decision={"go": "no-go"}))
    assert "The answer is no, by Ada on 2026-01-16: a good outcome, reached cheaply." in words
    assert "Next" not in words
    assert "go-ahead" not in words


def test_the_author_of_a_text_is_who_committed_it(tmp_path):
    settings = discovered(tmp_path)
    assert "problem stated 1-discovery/problem.md, 1 sections not committed yet" in shown(settings)[1]
    someone = ["git", "-c", "user.name=Zoë", "-c", "user.email=z@example.com", "-c", "commit.gpgSign=false"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "texts", "--date=2026-02-03T12:00:00Z"]):
        subprocess.run([*someone, *command], cwd=tmp_path, check=True)
    assert "problem stated 1-discovery/problem.md, 1 sections Zoë, 2026-02-03" in shown(settings)[1]


def test_names_cannot_break_the_page(tmp_path):
    settings = discovered(tmp_path, decision={"decided_by": "<b>Ada & Co</b>"})
    assert "&lt;b&gt;Ada &amp; Co&lt;/b&gt;" in shown(settings)[0]


def test_the_command_writes_it(tmp_path, monkeypatch, capsys):
    discovered(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert commands.main(["status", "--html"]) == 0
    assert capsys.readouterr().out.endswith("page reports/status.html\n")
    assert commands.main(["status", "--html", "to-send.html", "--strict"]) == 0
    assert "<title>" in (tmp_path / "to-send.html").read_text(encoding="utf-8")
    assert (tmp_path / "reports/status.html").is_file()
