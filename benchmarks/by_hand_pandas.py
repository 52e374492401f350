"""ETL, scoring and monitoring by hand in pandas, with everything in memory; see by_hand.py."""

from pathlib import Path

import numpy as np
import pandas as pd
from by_hand import AIRPORT, CARRIER, FLIGHT_ID, ORIGINS, RANGES, WINDOW, Model, main, roc_auc
from numpy.typing import NDArray

MILE = 1.609344
TIME = ["year", "month", "day", "hour", "minute"]


def etl(source: Path, target: Path) -> None:
    """Read, join, check, leave out duplicates, write."""
    whole = dict.fromkeys([*TIME, "flight", "distance"], "int32")
    small = dict.fromkeys(["dep_delay", "arr_delay"], "float32")
    texts = dict.fromkeys(["carrier", "tailnum", "origin", "dest"], "str")
    columns = [*whole, *small, *texts, "time_hour"]
    f = pd.read_csv(source / "flights.csv", usecols=columns, dtype=whole | small | texts)
    f["time_hour"] = pd.to_datetime(f["time_hour"])
    read = ["origin", "time_hour", "temp", "humid", "wind_dir", "wind_speed", "precip", "pressure", "visib"]
    weather = pd.read_csv(source / "weather.csv", usecols=read, parse_dates=["time_hour"])
    planes = pd.read_csv(source / "planes.csv", usecols=["tailnum", "year", "seats"])
    planes = planes.rename(columns={"year": "built"})
    f = f.merge(planes, on="tailnum", how="left").merge(weather, on=["origin", "time_hour"], how="left")
    at, day = pd.to_datetime(f[TIME]), pd.to_datetime(f[TIME[:3]])
    cancelled = f.dep_delay.isna() & (day < day[f.dep_delay.notna()].max())
    flight_id = f.carrier + f.flight.astype(str) + "-" + f.origin + "-" + at.dt.strftime("%Y%m%d%H%M")
    late = np.where(f.arr_delay.notna(), f.arr_delay > 30, np.where(cancelled, 1.0, np.nan))
    found = pd.DataFrame(
        {
            "flight_id": flight_id,
            "scheduled_at": at,
            "carrier": f.carrier,
            "origin": f.origin,
            "destination": f.dest,
            "distance_km": f.distance * MILE,
            "day_of_week": at.dt.day_of_week + 1,
            "scheduled_hour": f.hour,
            "plane_age_years": f.year - f.built,
            "plane_seats": f.seats,
            "temperature_c": (f.temp - 32.0) / 1.8,
            "humidity_percent": f.humid,
            "wind_speed_kmh": f.wind_speed * MILE,
            "wind_direction_degrees": f.wind_dir,
            "precipitation_mm": f.precip * 25.4,
            "pressure_hpa": f.pressure,
            "visibility_km": f.visib * MILE,
            "departure_delay_minutes": f.dep_delay,
            "late": late,
        }
    )
    kept = found.flight_id.str.match(FLIGHT_ID) & found.carrier.str.match(CARRIER)
    kept &= found.destination.str.match(AIRPORT) & found.origin.isin(ORIGINS)
    kept &= found.distance_km.between(50, 10000)
    for name, ends in RANGES.items():
        kept &= found[name].isna() | found[name].between(*ends)
    found[kept].drop_duplicates("flight_id").to_parquet(target, index=False)


def score(table: Path, model: Model, target: Path) -> None:
    """Predict for all rows at once."""
    rows = pd.read_parquet(table)
    coded = [code(rows[name], model.names.get(name)) for name in model.features]
    rows["prediction"] = model.predict(np.column_stack(coded).astype(np.float32))
    rows.to_parquet(target, index=False)


def code(values: pd.Series, known: list[str] | None) -> NDArray[np.floating]:
    """Return the numbers of a feature."""
    if known is None:
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    codes = {text: number for number, text in enumerate(known)}
    return values.map(codes).to_numpy(dtype=np.float32, na_value=np.nan)


def monitor(table: Path, predictions: str, model: Model) -> tuple[int, float, dict[str, float]]:
    """Join the newest predictions with their outcomes, and count."""
    every = pd.read_parquet(predictions)
    first = every.scheduled_at.max().normalize() - WINDOW + pd.Timedelta(days=1)
    latest = every[every.scheduled_at >= first].sort_values("predicted_at", ascending=False)
    latest = latest.drop_duplicates("flight_id")
    outcomes = pd.read_parquet(table, columns=["flight_id", "late"])
    looked_at = latest.merge(outcomes, on="flight_id", how="left")
    known = looked_at[looked_at.late.notna()]
    grouped = known.groupby("prediction").late.agg(["sum", "size"]).reset_index()
    counted = {name: places(looked_at[name], model) for name in model.reference}
    columns = (grouped[name].to_numpy() for name in ("prediction", "sum", "size"))
    return len(looked_at), roc_auc(*columns), model.drifts(counted)


def places(values: pd.Series, model: Model) -> dict[int | None, int]:
    """Return how many values are in each bin, None for what is missing or new."""
    known = model.reference[values.name]
    numbers = code(values, known["names"] or None)
    codes = numbers if known["names"] else np.searchsorted(known["edges"], numbers)
    found, counts = np.unique(np.where(np.isnan(numbers), -1, codes), return_counts=True)
    return {None if n < 0 else int(n): int(count) for n, count in zip(found, counts, strict=True)}


if __name__ == "__main__":
    main(etl, score, monitor)
