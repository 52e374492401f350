"""How the tests read a page: as a reader does."""

import re
from html import unescape


def text_of(html):
    """Return what a reader sees, without pictures and tags."""
    shown = re.sub(
        r"<style>.*?</style>|<script.*?</script>|<svg.*?</svg>|<[^>]+>", " ", html, flags=re.DOTALL
    )
    return " ".join(unescape(shown).split())


def pictures_of(html):
    """Return what is read out of each picture."""
    return [unescape(told) for told in re.findall(r'<svg [^>]*aria-label="([^"]*)"', html)]
