"""Self-contained HTML pages that need no library and no network: to send, to read anywhere, to print."""

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from string import Template


def html_page(title: str, lead: str, parts: Iterable[str], footer: str) -> str:
    """Return a whole page. `parts` is markup; the other texts are escaped here."""
    text = files("handrail.stages").joinpath("templates", "page.html").read_text(encoding="utf-8")
    return Template(text).substitute(
        title=escape(title), lead=escape(lead), body="\n".join(parts), footer=escape(footer)
    )


def heading(text: str, beside: str = "") -> str:
    """Return the heading of a part, with a few words at its right."""
    return f"<h2>{escape(text)}{f' <small>{escape(beside)}</small>' if beside else ''}</h2>"


def paragraph(text: str, kind: str = "") -> str:
    """Return a paragraph; `kind` is a class of the page's style."""
    named = f' class="{kind}"' if kind else ""
    return f"<p{named}>{escape(text)}</p>"


def table(caption: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of figures: the first column names the row, the others are right-aligned."""
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "\n".join(f"<tr>{_cells(row)}</tr>" for row in rows)
    return (
        f'<div class="scroll"><table class="figures"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def _cells(row: Sequence[str]) -> str:
    first, *rest = row
    return f"<th>{escape(first)}</th>" + "".join(f"<td>{escape(cell)}</td>" for cell in rest)
