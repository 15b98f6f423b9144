"""The Grafana dashboard: each query is PromQL, and about metrics that we expose."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.deploy.exposed import exposed_metrics

FILE = Path(__file__).parents[2] / "deploy" / "grafana-dashboard.json"
DASHBOARD = json.loads(FILE.read_text())
QUERIES = [
    target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]
]


@pytest.mark.django_db
def test_every_metric_is_exposed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings
) -> None:
    exposed = exposed_metrics(tmp_path, monkeypatch, settings)

    named = {
        re.sub(r"_(bucket|total)$", "", word)
        for query in QUERIES
        for word in re.findall(r"postern_\w+", query)
    }

    # Exported after the first backup only.
    assert named - exposed == {"postern_last_backup_timestamp_seconds"}


def test_prometheus_can_parse_every_query(tmp_path: Path) -> None:
    """promtool parses expressions as rules; Grafana's variable is a duration there."""
    rules = [
        {"record": f"query:{number}", "expr": query.replace("$__rate_interval", "1m")}
        for number, query in enumerate(QUERIES)
    ]
    file = tmp_path / "rules.json"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))

    done = subprocess.run(
        ["promtool", "check", "rules", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_panels_have_a_place_of_their_own() -> None:
    panels = DASHBOARD["panels"]
    places = [
        (x, y)
        for panel in panels
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len(places) == len(set(places))
    assert max(x for x, _ in places) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({panel["title"] for panel in panels}) == len(panels)
