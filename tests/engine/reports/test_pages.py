"""The reports of a training: each is one file that needs nothing else."""

import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from handrail.reports import PAGES, pages


def test_each_report_is_one_file_that_asks_for_nothing_else(settings, training):
    paths = pages.write_reports(settings, training)
    assert paths == [Path(settings.workspace, "reports", name) for name in PAGES]
    assert sorted(paths[0].parent.iterdir()) == sorted(paths)
    for path in paths:
        html = path.read_text(encoding="utf-8")
        assert not re.findall(r"https?:|src=|@import|url\(h|<link|<iframe|<form", html)
        assert "default-src 'none'" in html


def test_a_page_that_lacks_what_it_asks_for_is_an_error():
    with pytest.raises(UndefinedError, match="'settings' is undefined"):
        pages.fill("company.html", company={})


def test_a_page_names_the_version_that_it_is_of(of_cases, cases):
    tradeoff = of_cases.project.task.tradeoff(of_cases, cases)
    for name in PAGES:
        assert cases.version in pages.render(name, of_cases, cases, tradeoff)
