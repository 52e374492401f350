"""The same table by one hand-written SQL statement; run by the project's interpreter.

python etl_by_hand.py SOURCE TARGET
"""

import sys
import tempfile
import zipfile
from pathlib import Path

import duckdb

STATEMENT = Path(__file__).with_suffix(".sql")


def write_table(source: Path, target: Path) -> None:
    """Unpack the flights of the folder `source` and write the table of the contract to `target`."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        flights = source / "flights.csv"
        if not flights.exists():
            with zipfile.ZipFile(source / "flights.csv.zip") as archive:
                flights = Path(archive.extract("flights.csv", folder))
        with duckdb.connect(config={"preserve_insertion_order": False}) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            for name, path in {"flights": flights, "source": source, "target": target}.items():
                connection.execute(f"SET VARIABLE {name} = $1", [str(path)])
            connection.execute(STATEMENT.read_text(encoding="utf-8"))


if __name__ == "__main__":
    write_table(Path(sys.argv[1]), Path(sys.argv[2]))
