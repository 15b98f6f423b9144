"""Joins what the processes of this host count into one page for Prometheus.

Each process writes its own page to a file under POSTERN_VAR every few seconds, and
`/metrics` reads them all. prometheus-client's own mode for several processes adds up
what they counted in shared files that outlive them; here a process that ends takes its
series along, so that Prometheus' rate() sees a reset where there was one.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from engine.health.identity import Identity
from engine.observability import metrics
from engine.secrets import state_folder

log = logging.getLogger(__name__)

# A file that was not written for so many seconds is that of a process which has ended,
# or hangs. By its age and not by its number: containers that share the folder have
# numbers of their own.
STALE = 20.0
_NAME = re.compile(r"(?P<process>[a-z]+-[0-9]+)@(?P<host>.+)\.prom")


def write(me: Identity) -> None:
    """Write what this process has counted so far."""
    state_folder.write_atomically(
        _folder() / _name(me), generate_latest(metrics.REGISTRY)
    )


def withdraw(me: Identity) -> None:
    """Take this process's page away: it ends."""
    (_folder() / _name(me)).unlink(missing_ok=True)


def render(collectors: Iterable[Collector] = ()) -> bytes:
    """The whole page: what the processes counted, and what the collectors find now."""
    registry = CollectorRegistry()
    registry.register(_Joined())
    for collector in collectors:
        registry.register(collector)
    return generate_latest(registry)


class _Joined(Collector):
    """The processes' pages, each sample marked with its process and host."""

    def describe(self) -> Iterable[Metric]:
        """Nothing: what the files hold is known when they are read."""
        return ()

    def collect(self) -> Iterator[Metric]:
        families: dict[str, Metric] = {}
        for path, labels in _pages():
            for found in _families(path):
                family = families.setdefault(
                    found.name, Metric(found.name, found.documentation, found.type)
                )
                for sample in found.samples:
                    family.add_sample(
                        sample.name, {**sample.labels, **labels}, sample.value
                    )
        yield from families.values()


def _families(path: Path) -> list[Metric]:
    try:
        return list(text_string_to_metric_families(path.read_text()))
    except FileNotFoundError:
        return []  # its process has just ended
    except ValueError:
        log.exception("%s is no page of metrics", path.name)
        return []


def _pages() -> Iterator[tuple[Path, dict[str, str]]]:
    """The pages of processes that live; those of others are removed."""
    oldest = time.time() - STALE
    for path in sorted(_folder().glob("*.prom")):
        named = _NAME.fullmatch(path.name)
        if named is None or not _is_fresh(path, oldest):
            path.unlink(missing_ok=True)
        else:
            yield path, named.groupdict()


def _is_fresh(path: Path, oldest: float) -> bool:
    try:
        return path.stat().st_mtime >= oldest
    except FileNotFoundError:
        return False


def _name(me: Identity) -> str:
    return f"{me.kind}-{me.pid}@{me.host}.prom"


def _folder() -> Path:
    return state_folder.subfolder("metrics")
