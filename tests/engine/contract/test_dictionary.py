"""The data dictionary: a row per column, that any Markdown reader shows as a table."""

from datetime import datetime
from typing import Literal

from handrail.contract import Record, Role, column
from handrail.contract.dictionary import data_dictionary


class Parcel(Record):
    """One parcel,
    as it was sent."""

    number: str = column(Role.KEY, "Number", pattern="^(A|B)[0-9]+$", examples=["A1"])
    sent_at: datetime = column(Role.TIME, "When it was sent", examples=[datetime(2030, 1, 1)])
    way: Literal["by land", "air|sea"] = column(Role.FEATURE, "By land | air")
    weight_kg: float | None = column(Role.FEATURE, "Weight", unit="kg", ge=0, le=1234567)
    pieces: int = column(Role.FEATURE, "Pieces", ge=1)
    price: float = column(Role.TARGET, "Price", unit="EUR", le=99.5)


def test_every_column_has_a_row_of_seven_cells():
    assert data_dictionary(Parcel).splitlines() == [
        "# Data dictionary",
        "",
        "One parcel, as it was sent. Written by `etl` from `contract.py`: change it there.",
        "",
        "| column | meaning | type | unit | rules | may be empty | role |",
        "|---|---|---|---|---|---|---|",
        r"| `number` | Number | name |  | like `^(A\|B)[0-9]+$` | no | key |",
        "| `sent_at` | When it was sent | time |  |  | no | time |",
        r"| `way` | By land \| air | name |  | by land, air\|sea | no | feature |",
        "| `weight_kg` | Weight | number | kg | 0 to 1234567 | yes | feature |",
        "| `pieces` | Pieces | whole number |  | at least 1 | no | feature |",
        "| `price` | Price | number | EUR | at most 99.5 | no | target |",
    ]
