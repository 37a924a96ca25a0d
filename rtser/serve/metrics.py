"""The server's counts, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2)
STREAMS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Metrics:
    """The server's counts. Each may be noted on any thread."""

    def __init__(self) -> None:
        self._registry = made = CollectorRegistry()
        self.decisions = Counter("rtser_decisions", "Hops recognised in all streams.", registry=made)
        self.streams_opened = Counter("rtser_streams_opened", "Live streams that began.", registry=made)
        self.uploads = Counter("rtser_uploads", "Files that were recognised.", registry=made)
        self.rejected = Counter("rtser_rejections", "Clients that were refused or cut off.", ["reason"], registry=made)
        self.dropped = Counter("rtser_dropped_samples", "Samples dropped because their client had gone.", registry=made)
        self._steps = Histogram("rtser_step_seconds", "Time of a step.", buckets=SECONDS, registry=made)
        self._batches = Histogram("rtser_batch_streams", "Streams in a step.", buckets=STREAMS, registry=made)
        self._lateness = Histogram(
            "rtser_lateness_seconds",
            "From the arrival of a segment's last sample to its decision.",
            buckets=SECONDS,
            registry=made,
        )

    def gauge(self, name: str, description: str, value: Callable[[], float]) -> None:
        """Add a figure that is computed when the metrics are read."""
        Gauge(f"rtser_{name}", description, registry=self._registry).set_function(value)

    def note_step(self, streams: int, seconds: float) -> None:
        """Note that a step recognised one hop of each of `streams` streams."""
        self.decisions.inc(streams)
        self._batches.observe(streams)
        self._steps.observe(seconds)

    def note_lateness(self, seconds: float) -> None:
        """Note how late a decision was."""
        self._lateness.observe(seconds)

    def text(self) -> bytes:
        """All figures, as Prometheus reads them."""
        return generate_latest(self._registry)
