"""Odd but legal text is the same text again in every format."""

import ast
import json
import tomllib

import pytest
import yaml
from jinja2 import Environment

from handrail.scaffold.texts import literal, markdown, mended, quoted

ODD = ['the "late" ones', "C:\\new", "Zoë", "🛫", "50% # of all: yes", "{% raw %}{{ 7 * 7 }}", "null", "\\"]


@pytest.mark.parametrize("text", ODD)
def test_quoted_and_literal(text):
    assert json.loads(quoted(text)) == ast.literal_eval(quoted(text)) == text
    assert tomllib.loads(f"x = {quoted(text)}")["x"] == yaml.safe_load(f"x: {quoted(text)}")["x"] == text
    assert Environment().from_string(literal(text)).render() == text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a_b *c* <b> [x](y) #1", "a\\_b \\*c\\* \\<b\\> \\[x\\](y) \\#1"),
        ("- no list", "\\- no list"),
        ("1. no list", "1\\. no list"),
    ],
)
def test_markdown(text, escaped):
    assert markdown(text) == escaped


def test_text_read_as_ascii_is_mended_and_other_text_stays():
    assert mended("Zoë".encode().decode("ascii", "surrogateescape")) == "Zoë"
    assert mended("Zoë 🛫") == "Zoë 🛫"
    undecodable = b"\xff".decode(errors="surrogateescape")
    assert mended(undecodable) == undecodable
