"""ETL, scoring and monitoring by hand in Polars, lazily and on its streaming engine; see by_hand.py."""

from datetime import datetime, time, timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from by_hand import AIRPORT, BATCH_ROWS, CARRIER, FLIGHT_ID, ORIGINS, RANGES, WINDOW, Model, main, roc_auc

MILE = 1.609344
INTEGERS = ("year", "month", "day", "hour", "minute", "dep_delay", "arr_delay")


def etl(source: Path, target: Path) -> None:
    """Read, join, check, leave out duplicates, write."""
    read = {"null_values": "NA", "infer_schema": False}
    flights = pl.scan_csv(source / "flights.csv", **read).select(
        pl.col(*INTEGERS, "flight", "distance").cast(pl.Int32),
        pl.col("carrier", "tailnum", "origin", "dest"),
        pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ"),
    )
    weather = pl.scan_csv(source / "weather.csv", **read).select(
        pl.col("origin"),
        pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ"),
        pl.col("temp", "humid", "wind_dir", "wind_speed", "precip", "pressure", "visib").cast(pl.Float64),
    )
    planes = pl.scan_csv(source / "planes.csv", **read).select(
        pl.col("tailnum"), pl.col("year").cast(pl.Int32).alias("built"), pl.col("seats").cast(pl.Int32)
    )
    day = pl.date("year", "month", "day")
    newest = flights.filter(pl.col("dep_delay").is_not_null()).select(day.max()).collect().item()
    at = pl.datetime("year", "month", "day", "hour", "minute")
    late = pl.col("arr_delay") > 30
    cancelled = pl.col("dep_delay").is_null() & (day < newest)
    rows = (
        flights.join(planes, on="tailnum", how="left")
        .join(weather, on=["origin", "time_hour"], how="left")
        .select(
            pl.format("{}{}-{}-{}", "carrier", "flight", "origin", at.dt.strftime("%Y%m%d%H%M")).alias(
                "flight_id"
            ),
            at.alias("scheduled_at"),
            "carrier",
            "origin",
            pl.col("dest").alias("destination"),
            (pl.col("distance") * MILE).alias("distance_km"),
            at.dt.weekday().cast(pl.Int32).alias("day_of_week"),
            pl.col("hour").alias("scheduled_hour"),
            (pl.col("year") - pl.col("built")).alias("plane_age_years"),
            pl.col("seats").alias("plane_seats"),
            ((pl.col("temp") - 32.0) / 1.8).alias("temperature_c"),
            pl.col("humid").alias("humidity_percent"),
            (pl.col("wind_speed") * MILE).alias("wind_speed_kmh"),
            pl.col("wind_dir").alias("wind_direction_degrees"),
            (pl.col("precip") * 25.4).alias("precipitation_mm"),
            pl.col("pressure").alias("pressure_hpa"),
            (pl.col("visib") * MILE).alias("visibility_km"),
            pl.col("dep_delay").alias("departure_delay_minutes"),
            pl.when(late.is_not_null()).then(late.cast(pl.Int32)).when(cancelled).then(1).alias("late"),
        )
    )
    optional = [
        pl.col(name).is_null() | pl.col(name).is_between(low, high) for name, (low, high) in RANGES.items()
    ]
    rows = rows.filter(
        pl.col("flight_id").str.contains(FLIGHT_ID),
        pl.col("carrier").str.contains(CARRIER),
        pl.col("destination").str.contains(AIRPORT),
        pl.col("origin").is_in(ORIGINS),
        pl.col("distance_km").is_between(50, 10000),
        *optional,
    )
    rows.unique("flight_id", keep="any").sink_parquet(target, engine="streaming")


def score(table: Path, model: Model, target: Path) -> None:
    """Stream the rows through the model."""
    coded = [code(name, model).cast(pl.Float32).fill_null(float("nan")) for name in model.features]
    names = [f"f{number}" for number in range(len(coded))]
    rows = pl.scan_parquet(table).with_columns(
        each.alias(name) for name, each in zip(names, coded, strict=True)
    )
    writers = []

    def write(batch: pl.DataFrame) -> None:
        predicted = pl.Series("prediction", model.predict(batch.select(names).to_numpy()))
        found = batch.drop(names).with_columns(predicted).to_arrow(compat_level=pl.CompatLevel.oldest())
        if not writers:
            writers.append(pq.ParquetWriter(target, pa.schema(found.schema)))
        writers[0].write_table(found)

    rows.sink_batches(write, chunk_size=BATCH_ROWS, maintain_order=False, engine="streaming")
    writers[0].close()


def code(name: str, model: Model) -> pl.Expr:
    """Return the number of a feature."""
    known = model.names.get(name)
    codes = {text: number for number, text in enumerate(known or [])}
    return pl.col(name).replace_strict(codes, default=None) if codes else pl.col(name)


def monitor(table: Path, predictions: str, model: Model) -> tuple[int, float, dict[str, float]]:
    """Join the newest predictions with their outcomes, and count."""
    every = pl.scan_parquet(predictions)
    newest = every.select(pl.col("scheduled_at").max()).collect(engine="streaming").item().date()
    first = datetime.combine(newest, time()) - WINDOW + timedelta(days=1)
    latest = every.filter(pl.col("scheduled_at") >= first)
    latest = latest.sort("predicted_at", descending=True).unique("flight_id", keep="first")
    outcomes = pl.scan_parquet(table).select("flight_id", "late")
    looked_at = latest.join(outcomes, on="flight_id", how="left").collect(engine="streaming")
    known = looked_at.filter(pl.col("late").is_not_null())
    grouped = known.group_by("prediction").agg(pl.col("late").sum(), pl.len().alias("n"))
    counted = {
        name: dict(looked_at.select(place(name, model).alias("place")).group_by("place").len().iter_rows())
        for name in model.reference
    }
    columns = (grouped[name].to_numpy() for name in ("prediction", "late", "n"))
    return looked_at.height, roc_auc(*columns), model.drifts(counted)


def place(name: str, model: Model) -> pl.Expr:
    """Return the bin of a value."""
    known = model.reference[name]
    if known["names"]:
        codes = {text: number for number, text in enumerate(known["names"])}
        return pl.col(name).replace_strict(codes, default=None, return_dtype=pl.Int32)
    steps = pl.when(pl.col(name) <= known["edges"][0]).then(0)
    for number, edge in enumerate(known["edges"][1:], 1):
        steps = steps.when(pl.col(name) <= edge).then(number)
    return steps.when(pl.col(name).is_not_null()).then(len(known["edges"]))


if __name__ == "__main__":
    main(etl, score, monitor)
