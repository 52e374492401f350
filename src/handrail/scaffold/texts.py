"""Answers in texts: carried whole, whatever they hold, into every format that a project is made of."""

import json
import re


def mended(text: str) -> str:
    """Return a text that Python has read as ASCII, as under `LC_ALL=C`, as the UTF-8 that it is."""
    return text.encode(errors="surrogateescape").decode(errors="surrogateescape")


def literal(text: str) -> str:
    """Return Jinja that renders as the text itself, and runs nothing of it."""
    return f"{{{{ {quoted(text)} }}}}"


def quoted(text: str) -> str:
    """Return text in double quotes, valid in TOML, YAML, JSON, Jinja and Python alike."""
    return json.dumps(text, ensure_ascii=False)


def markdown(text: str) -> str:
    """Return text with everything escaped that Markdown would take for markup."""
    text = re.sub(r"([\\`*_\[\]<>#|~&$])", r"\\\1", text)
    text = re.sub(r"^([-+=])", r"\\\1", text)
    return re.sub(r"^(\d+)([.)])", r"\1\\\2", text)
