"""The contract: every column of the table that the model learns from, said once.

This is the first file to change for your own data. A rule that a row breaks sends the row to
`data/rejected/` with the reason; a rule that a request breaks answers 422 with the field and the rule.
One column is the KEY, which no two rows share: a customer and a day, where customers come again.
Every amount needs both ge and le, every name a Literal or pattern and examples, every time an example: by
them records are made up for the tests, and `readiness` knows what to expect.
"""

from datetime import datetime
from typing import Literal

from handrail.contract import Record, Role, column
from handrail.tasks import Classification

KEY, TIME, FEATURE, TARGET = Role.KEY, Role.TIME, Role.FEATURE, Role.TARGET


class Departure(Record):
    """One scheduled departure, with what is known hours before it, and how it ended."""

    flight_id: str = column(
        KEY,
        "Carrier, flight number, origin and scheduled local time",
        pattern=r"^[0-9A-Z]{2}[0-9]+-[A-Z]{3}-[0-9]{12}$",
        examples=["UA1545-EWR-201301010515"],
    )
    scheduled_at: datetime = column(
        TIME, "Scheduled departure, local time of the airport", examples=[datetime(2013, 1, 1, 5, 15)]
    )
    carrier: str = column(
        FEATURE,
        "Airline, IATA code",
        pattern=r"^[0-9A-Z]{2}$",
        examples=["UA", "B6", "EV", "DL", "AA"],
        sliced=True,
    )
    origin: Literal["EWR", "JFK", "LGA"] = column(FEATURE, "Airport of departure", sliced=True)
    destination: str = column(
        FEATURE,
        "Airport of arrival, FAA code",
        pattern=r"^[A-Z]{3}$",
        examples=["ATL", "ORD", "LAX", "BOS", "MCO"],
    )
    distance_km: float = column(FEATURE, "Distance between the airports", unit="km", ge=50, le=10_000)
    day_of_week: int = column(FEATURE, "Day of the week, 1 = Monday", ge=1, le=7)
    scheduled_hour: int = column(FEATURE, "Hour of the scheduled departure", unit="h", ge=0, le=23)
    plane_age_years: int | None = column(FEATURE, "Age of the aircraft", unit="years", ge=0, le=80)
    plane_seats: int | None = column(FEATURE, "Seats of the aircraft", ge=1, le=600)
    temperature_c: float | None = column(FEATURE, "Air temperature at the hour", unit="°C", ge=-40, le=50)
    humidity_percent: float | None = column(FEATURE, "Relative humidity", unit="%", ge=0, le=100)
    wind_speed_kmh: float | None = column(FEATURE, "Wind speed", unit="km/h", ge=0, le=200)
    wind_direction_degrees: float | None = column(FEATURE, "Wind direction", unit="°", ge=0, le=360)
    precipitation_mm: float | None = column(FEATURE, "Rain or snow in the hour", unit="mm", ge=0, le=150)
    pressure_hpa: float | None = column(FEATURE, "Sea level pressure", unit="hPa", ge=900, le=1080)
    visibility_km: float | None = column(FEATURE, "Visibility", unit="km", ge=0, le=20)
    departure_delay_minutes: int | None = column(
        Role.FORBIDDEN, "Delay at departure: known only once the plane has left", unit="min", ge=-120, le=3000
    )
    late: int | None = column(
        TARGET, "1 = arrived more than 30 minutes late, or was cancelled; empty until known", ge=0, le=1
    )


CONTRACT = Departure
TABLE = "departures"
TASK = Classification()
