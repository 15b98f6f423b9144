"""Gauges of ours that are found when Prometheus asks."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client.metrics_core import GaugeMetricFamily


def gauge(name: str, about: str, labels: Sequence[str] = ()) -> GaugeMetricFamily:
    """A gauge of ours, whose samples the caller adds."""
    return GaugeMetricFamily(f"postern_{name}", about, labels=labels)


def one(name: str, about: str, value: float) -> GaugeMetricFamily:
    """A gauge with one sample."""
    family = gauge(name, about)
    family.add_metric([], value)
    return family
