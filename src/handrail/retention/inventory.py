"""What is kept: every file or version that has an age, in its place or in the archive."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from re import match

from handrail.compute.duckdb import Connection, connect, parquet, row
from handrail.config.settings import REPLAY, Settings
from handrail.etl.load import not_accepted_folder
from handrail.monitoring.outcomes import all_predictions, prediction_files
from handrail.registry.live import read_live
from handrail.registry.versions import SUMS, model_folder
from handrail.serving.activity import SUFFIX as ACTIVITY
from handrail.serving.activity import activity_folder
from handrail.serving.prediction_log import prediction_folder

CURRENT = "CURRENT"  # in the folder of a table of Spark's: the version that counts
MARKERS = {"versions": SUMS, "replays": REPLAY}  # in each folder of a kind whose items are folders
SUFFIXES = (".parquet", ".jsonl", ACTIVITY)


@dataclass(frozen=True)
class StoredItem:
    """A file, or the folder of a version: of which kind, and the newest day in it."""

    kind: str
    path: Path
    day: date
    archived: bool

    def age_days(self, today: date) -> int:
        """Return how many days ago that was."""
        return (today - self.day).days

    @property
    def size_bytes(self) -> int:
        """What it takes on the disk."""
        files = self.path.rglob("*") if self.path.is_dir() else [self.path]
        return sum(file.stat().st_size for file in files)


def archive_folder(settings: Settings) -> Path:
    """Return the folder that `archive` fills, one folder a day in it; it may be another disk."""
    return settings.workspace / "data" / "archive"


def places(settings: Settings) -> dict[str, Path]:
    """Return where each kind of data is kept."""
    data = settings.workspace / "data"
    return {
        "predictions": prediction_folder(settings),
        "rejected": data / "rejected",
        "not_accepted": not_accepted_folder(settings),
        "raw": data / "raw",
        "versions": model_folder(settings),
        "replays": data / "replays",
        "service": activity_folder(settings),
    }


def copies_of_source(settings: Settings) -> list[Path]:
    """Return this machine's copies of the raw files of a bucket, or of the rows of a database."""
    folder = settings.workspace / "data" / "source"
    return [path for path in sorted(folder.rglob("[!.]*")) if path.is_file()]


def raw_tables_of_spark(settings: Settings) -> list[Path]:
    """Return the folders of Spark's copies of the raw tables, where they lie on this machine's disk."""
    folder = settings.workspace / "data" / "spark" / "raw"
    return [path for path in sorted(folder.glob("[!.]*")) if path.is_dir()]


def inventory(settings: Settings) -> list[StoredItem]:
    """Return all that has an age, the oldest first; not the versions that are still needed."""
    found: list[StoredItem] = []
    with connect(settings) as connection:
        needed = _needed(connection, settings)
        for kind, folder in places(settings).items():
            here = (path for path in _kept(kind, folder) if path.name not in needed)
            found += [StoredItem(kind, path, _day(connection, kind, path), archived=False) for path in here]
            if kind == "raw":
                # The originals are elsewhere: they need no archive.
                copies = [*copies_of_source(settings), *raw_tables_of_spark(settings)]
                found += [
                    StoredItem(kind, path, _day(connection, kind, path), archived=True) for path in copies
                ]
            for old in archive_folder(settings).glob(f"*/{kind}"):
                found += [
                    StoredItem(kind, path, _day(connection, kind, path), archived=True)
                    for path in _kept(kind, old)
                ]
    return sorted(found, key=lambda item: (item.day, item.path))


def listing(items: list[StoredItem], today: date) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """Return header and rows of a table of `items`."""
    shown = [
        (f"{item.kind}: {item.path.name}", f"{item.age_days(today):,}", f"{item.size_bytes / 1e6:,.1f}")
        for item in items
    ]
    return ("", "days old", "MB"), shown


def _kept(kind: str, folder: Path) -> Iterator[Path]:
    for path in sorted(folder.glob("[!.]*")):
        if (path / MARKERS[kind]).is_file() if kind in MARKERS else path.suffix in SUFFIXES:
            yield path


def _needed(connection: Connection, settings: Settings) -> set[str]:
    """Return the versions that are live or to go back to, and those that kept predictions name."""
    live = read_live(settings)
    names = set(live.versions) if live else set()
    if live and live.canary:
        names.add(live.canary.name)
    if prediction_files(settings):
        query = f"SELECT list(DISTINCT version) AS names FROM ({all_predictions(settings)})"
        names |= set(row(connection, query)["names"] or ())
    return names


def _day(connection: Connection, kind: str, path: Path) -> date:
    """Return when the newest of it was predicted; of other kinds, when it was written."""
    served = match(r"served-(\d{4}-\d\d-\d\d)-[0-9a-f]+\.jsonl$", path.name)
    if served:
        return date.fromisoformat(served[1])
    if kind == "predictions" and path.suffix == ".parquet":
        newest = row(connection, f"SELECT max(predicted_at) AS t FROM {parquet(path)}")["t"]
        if newest:
            return newest.date()
    marker = path / MARKERS.get(kind, CURRENT)
    written = marker if marker.is_file() else path
    return datetime.fromtimestamp(written.stat().st_mtime, UTC).date()
