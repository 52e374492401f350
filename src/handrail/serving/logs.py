"""What the service logs: a line for each event, as text or as JSON, with the name of the request."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Literal

from handrail.serving import request_id


class _Lines(logging.Formatter):
    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        name, message = request_id.NOW.get(), record.getMessage()
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        if self._as_json:
            facts = {"at": at, "level": record.levelname.lower(), "logger": record.name, "message": message}
            facts |= {"request_id": name} if name else {}
            return json.dumps(facts | ({"traceback": trace} if trace else {}), ensure_ascii=False)
        of_request = f" [{name}]" if name else ""
        return "\n".join(filter(None, (f"{at} {record.levelname.lower()}{of_request}: {message}", trace)))


def tell_logs(form: Literal["text", "json"]) -> None:
    """Have what is logged told on standard error in one form, in place of the command line's."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines(as_json=form == "json"))
    logging.basicConfig(handlers=[handler], force=True)
