"""A picture that needs no explaining: a hundred dots, and how many of them are filled."""

from html import escape

COLUMNS, ROWS = 20, 5
STEP, RADIUS = 12, 4.2


def hundred(filled: int, description: str) -> str:
    """Return 100 dots as SVG, `filled` of them full and the others rings; `description` is read out."""
    marks = [
        f'<circle cx="{STEP * (place % COLUMNS) + STEP // 2}" cy="{STEP * (place // COLUMNS) + STEP // 2}" '
        f'r="{RADIUS}" class="{"full" if place < filled else "ring"}"/>'
        for place in range(COLUMNS * ROWS)
    ]
    box = f"0 0 {STEP * COLUMNS} {STEP * ROWS}"
    return f'<svg viewBox="{box}" role="img" aria-label="{escape(description)}">{"".join(marks)}</svg>'
