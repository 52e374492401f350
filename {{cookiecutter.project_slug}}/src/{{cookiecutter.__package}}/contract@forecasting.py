"""The contract: every column of the table that the model learns from, said once.

This is the first file to change for your own data. A rule that a row breaks sends the row to
`data/rejected/` with the reason; a rule that a request breaks answers 422 with the field and the rule.
One column is the KEY, which no two rows share: a customer and a day, where customers come again.
Every amount needs both ge and le, every name a Literal or pattern and examples, every time an example: by
them records are made up for the tests, and `readiness` knows what to expect.
All but the outcome is known once the same day of the week before is over: the forecast is for six days ahead.
"""

from datetime import datetime
from typing import Literal

from handrail.contract import Record, Role, column
from handrail.tasks import Forecasting

KEY, TIME, ORIGIN, FEATURE, TARGET = Role.KEY, Role.TIME, Role.ORIGIN, Role.FEATURE, Role.TARGET
MOST = 120


class AirportHour(Record):
    """One hour at one airport, with what is known six days before it, and how many planes left in it."""

    airport_hour: str = column(
        KEY,
        "Airport, and the day and hour, local time",
        pattern=r"^[A-Z]{3}-[0-9]{10}$",
        examples=["EWR-2013010105"],
    )
    starts_at: datetime = column(
        TIME, "Beginning of the hour, local time of the airport", examples=[datetime(2013, 1, 1, 5)]
    )
    planned_on: datetime = column(
        ORIGIN, "The day on which it is forecast, six days before", examples=[datetime(2012, 12, 26)]
    )
    airport: Literal["EWR", "JFK", "LGA"] = column(FEATURE, "Airport of departure", sliced=True)
    day_of_week: int = column(FEATURE, "Day of the week, 1 = Monday", ge=1, le=7, sliced=True)
    hour_of_day: int = column(FEATURE, "Hour of the day", unit="h", ge=0, le=23, sliced=True)
    departures_one_week_before: int | None = column(
        FEATURE, "Departures in the same hour, one week before", ge=0, le=MOST
    )
    departures_two_weeks_before: int | None = column(
        FEATURE, "Departures in the same hour, two weeks before", ge=0, le=MOST
    )
    departures_three_weeks_before: int | None = column(
        FEATURE, "Departures in the same hour, three weeks before", ge=0, le=MOST
    )
    departures_four_weeks_before: int | None = column(
        FEATURE, "Departures in the same hour, four weeks before", ge=0, le=MOST
    )
    mean_of_four_weeks: float | None = column(
        FEATURE, "Mean of the four, as far as they are known", ge=0, le=MOST
    )
    departures_of_day_one_week_before: int | None = column(
        FEATURE, "Departures of the whole day at the airport, one week before", ge=0, le=2000
    )
    departures: int | None = column(TARGET, "Planes that left in the hour; empty until known", ge=0, le=MOST)


CONTRACT = AirportHour
TABLE = "airport_hours"
TASK = Forecasting()
