"""Runs the script of a page for real, in V8, with as much of a browser as it asks for."""

import json
import re

from py_mini_racer import MiniRacer

# An element that isn't in the page is null, as in a browser.
DOCUMENT = """
const page = {};
const document = {getElementById: (id) => page[id] ?? null};
function put(id, text, value) {
  page[id] = {
    textContent: text, value: value, hidden: true, disabled: false, attributes: {}, listeners: {},
    setAttribute(name, text) { this.attributes[name] = text; },
    addEventListener(type, listener) { this.listeners[type] = listener; },
  };
}
"""


class Page:
    """A page whose script has run; elements are named by their id."""

    def __init__(self, html: str) -> None:
        self.engine = MiniRacer()
        self.engine.eval(DOCUMENT)
        values = dict(re.findall(r'<input [^>]*?id="([\w-]+)"[^>]*? value="([^"]*)"', html))
        for name in re.findall(r' id="([\w-]+)"', html):
            self.engine.eval(f"put({json.dumps(name)}, '', {json.dumps(values.get(name, ''))})")
        text = re.search(r'<script type="application/json" id="data">(.*?)</script>', html)[1]
        self.data = json.loads(text)
        self.engine.eval(f"page.data.textContent = {json.dumps(text)}")
        self.engine.eval(re.search(r"<script>(.*?)</script>", html, re.DOTALL)[1])

    def text(self, name: str) -> str:
        """Return what an element shows."""
        return self.engine.eval(f"page[{json.dumps(name)}].textContent")

    def asked(self, name: str, of: str) -> object:
        """Return what an element has in a property."""
        return self.engine.eval(f"page[{json.dumps(name)}].{of}")

    def enter(self, name: str, value: object) -> None:
        """Move or type into a control."""
        self.engine.eval(f"page[{json.dumps(name)}].value = {json.dumps(str(value))}")
        self.engine.eval(f"page[{json.dumps(name)}].listeners.input()")

    def press(self, name: str) -> None:
        """Press a button."""
        self.engine.eval(f"page[{json.dumps(name)}].listeners.click()")
