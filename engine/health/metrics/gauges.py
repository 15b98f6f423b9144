"""Builds gauges that are computed when Prometheus scrapes, and registers their sources."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

# Called with the time by the database's clock.
Source = Callable[[datetime], Iterable[Metric]]

_sources: list[Source] = []


def register(source: Source) -> None:
    """Adds gauges of a package above this one; a second call changes nothing."""
    if source not in _sources:
        _sources.append(source)


def registered(now: datetime) -> Iterator[Metric]:
    """Yields the gauges of every registered source."""
    for source in _sources:
        yield from source(now)


def gauge(name: str, about: str, labels: Sequence[str] = ()) -> GaugeMetricFamily:
    """Returns an empty gauge named `postern_{name}`; the caller adds its samples."""
    return GaugeMetricFamily(f"postern_{name}", about, labels=labels)


def single(name: str, about: str, value: float) -> GaugeMetricFamily:
    """Returns a gauge with one sample and no labels."""
    family = gauge(name, about)
    family.add_metric([], value)
    return family
