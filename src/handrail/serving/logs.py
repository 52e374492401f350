"""What the service logs: a line for each event, as text or as JSON, with the name of the request.

What goes wrong with one request goes wrong with all, as when the disk is full: the first of a kind is told,
and then once a minute how many came.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from threading import Lock, Timer
from typing import Literal

from handrail.serving import request_id

MINUTE_SECONDS = 60.0


class _OnceAMinute(logging.Filter):
    """Lets the first line of a kind through, and then one a minute that says how many more came.

    Of one kind are lines of one place in the code, about exceptions of one class and number.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = Lock()
        self._more: dict[object, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line is told."""
        if record.levelno < logging.WARNING or hasattr(record, "counted"):
            return True
        kind = _kind(record)
        with self._lock:
            if kind in self._more:
                self._more[kind] += 1
                return False
            self._more[kind] = 0
        self._count(kind, record)
        return True

    def _count(self, kind: object, record: logging.LogRecord) -> None:
        timer = Timer(MINUTE_SECONDS, self._tell, (kind, record))
        timer.daemon = True
        timer.start()

    def _tell(self, kind: object, record: logging.LogRecord) -> None:
        with self._lock:
            count = self._more.pop(kind)
            if count:
                self._more[kind] = 0
        if count:
            self._count(kind, record)
            told = f"{record.getMessage()} ({count:,} more like it in the last minute)"
            logging.getLogger(record.name).log(record.levelno, "%s", told, extra={"counted": count})


def _kind(record: logging.LogRecord) -> object:
    args = record.args if isinstance(record.args, tuple) else ()
    errors = [each for each in (*args, (record.exc_info or (None, None))[1]) if isinstance(each, Exception)]
    about = tuple((type(each), getattr(each, "errno", None)) for each in errors)
    return record.name, record.levelno, str(record.msg), about


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
            facts |= getattr(record, "facts", {}) | ({"request_id": name} if name else {})
            return json.dumps(facts | ({"traceback": trace} if trace else {}), ensure_ascii=False)
        of_request = f" [{name}]" if name else ""
        return "\n".join(filter(None, (f"{at} {record.levelname.lower()}{of_request}: {message}", trace)))


def tell_logs(form: Literal["text", "json"], *, each: bool = False) -> None:
    """Have what is logged told on standard error in one form, in place of the command line's.

    each: every line, as where no requests are answered; else of those that are alike one a minute
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines(as_json=form == "json"))
    if not each:
        handler.addFilter(_OnceAMinute())
    logging.basicConfig(handlers=[handler], force=True)
