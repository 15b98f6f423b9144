"""The names of the metrics that a host exposes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from engine.health.metrics import exposition
from engine.health.metrics.database_collector import DatabaseCollector
from engine.health.process_identity import Identity
from engine.observability import metrics


def exposed_metrics(
    folder: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> set[str]:
    """Returns the names in /metrics of a host with a shared cache and a first scan.

    Counters without their suffix. `folder` becomes the state folder.
    """
    monkeypatch.setattr(settings.POSTERN, "var", folder)
    monkeypatch.setattr(settings.POSTERN, "redis_url", "redis://127.0.0.1:1/0")
    metrics.SCAN_SECONDS.labels("clean").observe(1)
    exposition.write(Identity("engine"))
    exposed = exposition.render([DatabaseCollector()]).decode()
    heads = re.findall(r"^# TYPE (\S+) ", exposed, re.MULTILINE)
    return {name.removesuffix("_total") for name in heads}
