"""What the service tells Prometheus."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    generate_latest,
)

from handrail.registry.live import Mode


class Telemetry:
    """Counters of one service; a registry of its own, so that two services don't mix."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._predictions = Counter("predictions", "Predictions answered", ["source"], registry=registry)
        self._refused = Counter("predictions_refused", "Requests refused", ["reason"], registry=registry)
        self._seconds = Histogram(
            "prediction_seconds",
            "Time to answer",
            registry=registry,
            buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1),
        )
        self._ready = Gauge(
            "model_ready", "1 if the live model answers, 0 if the fallback does", registry=registry
        )
        self._info = Info("model", "The live model", registry=registry)
        self._by_source = {source: self._predictions.labels(source) for source in ("model", "fallback")}

    def answered(self, source: Mode, count: int, seconds: float) -> None:
        """Count predictions by who made them, and the time that it took."""
        self._by_source[source].inc(count)
        self._seconds.observe(seconds)

    def refused(self, reason: str) -> None:
        """Count a request that was not answered."""
        self._refused.labels(reason).inc()

    def text(self, version: str, mode: Mode) -> bytes:
        """Return all figures in Prometheus' text format."""
        self._ready.set(mode == "model")
        self._info.info({"version": version})
        return generate_latest(self._registry)
