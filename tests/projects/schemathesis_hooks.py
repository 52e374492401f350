"""What a description can't say of a request. Imported by schemathesis, not by the tests."""

from datetime import datetime

import schemathesis
from hypothesis import strategies

times = strategies.datetimes(datetime(1970, 1, 1), datetime(2026, 1, 1)).map(datetime.isoformat)
schemathesis.openapi.format("date-time-local", times)


@schemathesis.hook
def map_body(context, body):
    """Have a forecast be made before what it is for."""
    records = body.get("records") if isinstance(body, dict) else None
    for each in records if isinstance(records, list) else ():
        both = [each.get(name) for name in ("planned_on", "starts_at")] if isinstance(each, dict) else []
        if both and all(isinstance(time, str) for time in both):
            each["planned_on"], each["starts_at"] = sorted(both)
    return body
