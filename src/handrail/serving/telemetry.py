"""What the service tells Prometheus."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from operator import sub
from threading import Lock
from typing import Literal

import prometheus_client as prometheus
from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from handrail.registry.live import Mode
from handrail.serving.activity import SECONDS
from handrail.serving.inference import LiveModel, Reason

Refused = Literal["key", "media type", "size", "too many", "contract", "rows", "table", "log"]
REFUSED: dict[Refused, int] = {
    "key": 401,
    "media type": 415,
    "size": 413,
    "too many": 422,
    "contract": 422,
    "rows": 404,
    "table": 503,
    "log": 503,
}
FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # where several processes count together; read at the import
PREDICT = "/predict"
PATHS = (PREDICT, "/health", "/ready", "/version", "/metrics")
OTHER = "other"  # a path that anybody may ask for, and no label for each
OF_RECORDS: tuple[Refused, ...] = ("too many", "contract")  # refusals whose records are counted
OF_BODY = ("records", "keys", "body")  # what can be wrong beside a field of the contract
MOST_RULES = 500  # that are told apart: a service has to bound what it counts by
STATUSES = {PREDICT: (200, 401, 404, 413, 415, 422, 500, 503), "/ready": (200, 503)}


class Telemetry:
    """Figures of one service; a registry of its own, so that two services don't mix.

    Of several processes that serve together, each tells the figures of all.
    Every value of a label is there from the start: an alert sees the first failure as a rise from 0.
    """

    def __init__(self, fields: Iterable[str] = ()) -> None:
        """Begin at 0; `fields`: the names of the contract's fields, by which broken records are counted."""
        self._registry = registry = CollectorRegistry()
        answers = prometheus.Counter(
            "http_answers", "Answers by path and status", ["path", "status"], registry=registry
        )
        self._answers = {
            (path, status): answers.labels(path, str(status))
            for path in (*PATHS, OTHER)
            for status in STATUSES.get(path, (200,))
        }
        self._any_answer = answers
        predictions = prometheus.Counter("predictions", "Predictions answered", ["source"], registry=registry)
        self._predictions = {source: predictions.labels(source) for source in ("model", "fallback")}
        refused = prometheus.Counter("predictions_refused", "Requests refused", ["reason"], registry=registry)
        self._refused = {reason: refused.labels(reason) for reason in REFUSED}
        records = prometheus.Counter(
            "records_refused",
            "Records of bodies that hold too many, or any that breaks the contract",
            ["reason"],
            registry=registry,
        )
        self._records = {reason: records.labels(reason) for reason in OF_RECORDS}
        broken = prometheus.Counter(
            "records_broken",
            "Records that broke the contract themselves, by field: one may break several",
            ["field"],
            registry=registry,
        )
        self._broken = {field: broken.labels(field) for field in (*fields, *OF_BODY, OTHER)}
        self._rules: Counter[str] = Counter()
        self._lock = Lock()
        fallback = prometheus.Counter(
            "fallback_answers", "Answers of the baseline by why", ["reason"], registry=registry
        )
        self._fallback = {reason: fallback.labels(reason) for reason in ("switched", "failed", "late")}
        self._seconds = Histogram(
            "prediction_seconds",
            "Time to answer",
            registry=registry,
            buckets=SECONDS,
        )
        self._ready = Gauge(
            "model_ready",
            "1 if the live model answers, 0 if the fallback does",
            registry=registry,
            multiprocess_mode="livemin",
        )
        self._stale = Gauge(
            "model_stale",
            "1 if what is live on the disk can't be loaded, or what is loaded is damaged there",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._info = Gauge(
            "model_info",
            "1 beside the version in memory",
            ["version"],
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._version = ""

    def predicted(self, source: Mode, reason: Reason | None, count: int, seconds: float) -> None:
        """Count predictions by who made them and why, and the time that it took."""
        self._predictions[source].inc(count)
        if reason:
            self._fallback[reason].inc()
        self._seconds.observe(seconds)

    def refused(self, reason: Refused) -> None:
        """Count a request for predictions that was refused."""
        self._refused[reason].inc()

    def refused_records(self, reason: Refused, records: int) -> None:
        """Count a request for so many predictions that was refused."""
        self.refused(reason)
        self._records[reason].inc(records)

    def broke(self, found: Mapping[tuple[str, str], int]) -> None:
        """Count records that broke the contract, by field and rule; a field it does not have is `other`.

        What a client calls its fields is told nobody, and bounds nothing.
        """
        with self._lock:
            for (field, rule), records in found.items():
                known = field if field in self._broken else OTHER
                self._broken[known].inc(records)
                name = f"{known}: {rule}"
                if name not in self._rules and len(self._rules) >= MOST_RULES:
                    name = OTHER
                self._rules[name] += records

    def answered(self, path: str, status: int) -> None:
        """Count an answer."""
        found = self._answers.get((path, status))
        if found is None:
            path = path if path in PATHS else OTHER
            found = self._any_answer.labels(path, str(status))
            self._answers[path, status] = found
        found.inc()

    def changed(self, model: LiveModel) -> None:
        """Note what answers now, and whether it is what is live on the disk."""
        self._ready.set(model.mode == "model")
        self._stale.set(bool(model.stale))
        if self._version not in ("", model.version.name):
            self._info.labels(self._version).set(0)
        self._version = model.version.name
        self._info.labels(self._version).set(1)

    def counts(self) -> dict[str, Counter[str]]:
        """Return answers to POST /predict by status, refusals by why, answers by time: of this process.

        Beside them, how many records were refused for which reason, and how many broke which rule.
        """
        samples = [each for metric in self._registry.collect() for each in metric.samples]
        upto = [int(each.value) for each in samples if each.name == "prediction_seconds_bucket"]
        bins = (*map(str, SECONDS), "more")
        return {
            "answers": Counter(
                {
                    each.labels["status"]: int(each.value)
                    for each in samples
                    if each.name == "http_answers_total" and each.labels["path"] == PREDICT
                }
            ),
            "refused": Counter(
                {
                    each.labels["reason"]: int(each.value)
                    for each in samples
                    if each.name == "predictions_refused_total"
                }
            ),
            "records": Counter(
                {
                    each.labels["reason"]: int(each.value)
                    for each in samples
                    if each.name == "records_refused_total"
                }
            ),
            "broken": self._rules.copy(),
            "seconds": Counter(dict(zip(bins, map(sub, upto, [0, *upto]), strict=True))),
        }

    def text(self, *_: object) -> bytes:
        """Return all figures in Prometheus' text format; what version 0.2 was told here, it knows itself."""
        if not os.environ.get(FOLDER):
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)
        return generate_latest(together)
