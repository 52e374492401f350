"""What schemathesis does not know by itself: the format of a local time. Imported by it, not by the tests."""

from datetime import datetime

import schemathesis
from hypothesis import strategies

times = strategies.datetimes(datetime(1970, 1, 1), datetime(2026, 1, 1)).map(datetime.isoformat)
schemathesis.openapi.format("date-time-local", times)
