"""The worked example's raw tables, few and awkward, and settings that process them by any engine."""

import csv
from pathlib import Path

from handrail.config.settings import Settings
from tests.engine.support.workspaces import PROJECT, in_workspace

# 01:30 is there twice on this day: summer time ends at 02:00. The time_hour of the flights is UTC.
TWICE = "2013-11-03"
EVERY = 60  # one flight in so many, beside those of the days around


def write_raw(folder: Path, source: Path) -> Path:
    """Write a small copy of the example's raw tables with what goes wrong in real ones; return its folder."""
    folder.mkdir(parents=True)
    for name in ("weather", "planes", "airports", "airlines"):
        (folder / f"{name}.csv").write_bytes(_bytes(source, name))
    rows = list(csv.DictReader(_bytes(source, "flights").decode().splitlines()))
    near = [row for row in rows if row["time_hour"][:10] in ("2013-11-02", TWICE, "2013-11-04")]
    flights = rows[::EVERY] + near
    spare = dict(near[0])
    hour = {"year": "2013", "month": "11", "day": "3", "hour": "1", "minute": "30", "distance": "200"}
    flights += [
        spare | hour | {"flight": "9001", "time_hour": f"{TWICE}T05:00:00Z"},
        spare | hour | {"flight": "9001", "time_hour": f"{TWICE}T06:00:00Z"},  # an hour later, the same clock
        spare | hour | {"flight": "9002", "time_hour": f"{TWICE}T06:00:00Z"},
        spare | {"flight": "9003", "distance": "17"},  # 27 km, below what the contract allows
        spare | {"flight": "9004", "carrier": "u"},
        spare | {"flight": "9005", "dest": "NA"},
        spare | {"flight": "9006", "arr_delay": "NA", "dep_delay": "NA", "tailnum": "NA"},
        spare | {"flight": "9007", "distance": "500.0"},  # a whole number, as some programs write it
        dict(near[1]),  # once more, and as it was
    ]
    with (folder / "flights.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(flights)
    return folder


def _bytes(source: Path, name: str) -> bytes:
    import zipfile

    if (source / f"{name}.csv").is_file():
        return (source / f"{name}.csv").read_bytes()
    with zipfile.ZipFile(source / f"{name}.csv.zip") as archive:
        return archive.read(f"{name}.csv")


def by_engine(workspace: Path, engine: str, raw: Path | None, url: str | None = None, **compute) -> Settings:
    """Return the example's settings in a workspace, with the raw tables of `raw`, by an engine."""
    settings = in_workspace(workspace, PROJECT, sample=None)
    changed = {
        "compute": settings.compute.model_copy(update={"engine": engine, **compute}),
        "data": settings.data.model_copy(update={"source": raw, "maximum_rejected_share": 0.5}),
        "compute_url": url,
    }
    return settings.model_copy(update=changed)
