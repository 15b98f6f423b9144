"""Joins the metrics of all processes of this host into one page for Prometheus.

Each process writes its own page to a file under POSTERN_VAR every few seconds, and
`/metrics` reads them all. The multiprocess mode of prometheus-client adds counters up in
shared files that outlive their process. Here the series of a process end with it, so that
Prometheus' rate() sees the reset of a counter.
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

from engine.health.process_identity import Identity
from engine.observability import metrics
from engine.secrets import state_folder

log = logging.getLogger(__name__)

# A file that was not written for so many seconds belongs to a process that has ended or
# hangs. Its process id cannot tell: containers that share the folder have process ids of
# their own.
STALE = 20.0
_NAME = re.compile(r"(?P<process>[a-z]+-[0-9]+)@(?P<host>.+)\.prom")


def write(me: Identity) -> None:
    """Writes the current metrics of this process to its file."""
    state_folder.write_atomically(
        _folder() / _name(me), generate_latest(metrics.REGISTRY)
    )


def withdraw(me: Identity) -> None:
    """Removes the file of this process, which ends."""
    (_folder() / _name(me)).unlink(missing_ok=True)


def render(collectors: Iterable[Collector] = ()) -> bytes:
    """Returns the page of all processes, and what the collectors find now."""
    registry = CollectorRegistry()
    registry.register(_Joined())
    for collector in collectors:
        registry.register(collector)
    return generate_latest(registry)


class _Joined(Collector):
    """Yields the metrics of all processes, each sample labelled with process and host."""

    def describe(self) -> Iterable[Metric]:
        """Returns nothing: the metrics are known only once the files are read."""
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
        log.exception("%s does not hold metrics, and is left out", path.name)
        return []


def _pages() -> Iterator[tuple[Path, dict[str, str]]]:
    """Yields the files of living processes, and removes all others."""
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
