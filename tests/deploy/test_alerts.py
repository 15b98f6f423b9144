"""The alert rules for Prometheus, run by promtool: valid, and each fires and clears."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from engine.health.checks import process_heartbeats
from tests.deploy.exposed import exposed_metrics

RULES = Path(__file__).parents[2] / "deploy" / "alerts.yml"
DOCUMENT = yaml.safe_load(RULES.read_text())
ALERTS = {
    rule["alert"]: rule for group in DOCUMENT["groups"] for rule in group["rules"]
}

# For each alert a series that is faulty for forty minutes and then healthy, in minutes;
# a histogram has a series for each bucket.
ILL, WELL = 40, 40
STEP = "1m"


def steady(ill: float, well: float) -> str:
    return f"{ill}x{ILL} {well}x{WELL}"


def counting(ill: float, well: float) -> str:
    """Returns a counter that grows by these amounts each minute."""
    return f"0+{ill}x{ILL} {ill * ILL}+{well}x{WELL}"


SERIES = {
    "PosternSilent": {"postern_database_up": f"_x{ILL} 1x{WELL}"},
    "PosternDatabaseAway": {"postern_database_up": steady(0, 1)},
    "PosternEngineMissing": {'postern_processes{kind="engine"}': steady(0, 1)},
    "PosternWorkerMissing": {'postern_processes{kind="worker"}': steady(0, 4)},
    "PosternProcessEnded": {'postern_alarms_open{rule="process_ended"}': steady(1, 0)},
    "PosternScannerAway": {'postern_scanner_up{on_host="mx1"}': steady(0, 1)},
    "PosternScannerDoubtful": {
        'postern_alarms_open{rule="scanner_doubt"}': steady(1, 0)
    },
    "PosternScansSlow": {
        'postern_scan_seconds_bucket{le="30",verdict="clean"}': counting(10, 60),
        'postern_scan_seconds_bucket{le="60",verdict="clean"}': counting(60, 60),
        'postern_scan_seconds_bucket{le="+Inf",verdict="clean"}': counting(60, 60),
    },
    "PosternCacheAway": {"postern_cache_up": steady(0, 1)},
    "PosternDiskNearlyFull": {
        'postern_disk_free_bytes{on_host="mx1"}': steady(5e8, 5e10),
        'postern_disk_size_bytes{on_host="mx1"}': steady(1e11, 1e11),
    },
    "PosternMailSlow": {"postern_queue_due_seconds": steady(601, 20)},
    "PosternMailStopped": {"postern_queue_due_seconds": steady(1801, 20)},
    "PosternDestinationDown": {
        'postern_destination_down_seconds{destination="connection:7"}': (
            f"901x{ILL} _x{WELL}"
        )
    },
    "PosternSmartHostDown": {
        'postern_destination_down_seconds{destination="outside"}': f"901x{ILL} _x{WELL}"
    },
    "PosternOwnFaults": {
        'postern_refusals_total{reason="fault",source="receive"}': counting(60, 0)
    },
    "PosternCommitsSlow": {
        'postern_commit_seconds_bucket{le="1"}': counting(0, 60),
        'postern_commit_seconds_bucket{le="2.5"}': counting(10, 60),
        'postern_commit_seconds_bucket{le="5"}': counting(60, 60),
        'postern_commit_seconds_bucket{le="+Inf"}': counting(60, 60),
    },
    "PosternEventLoopLate": {
        'postern_event_loop_lag_seconds{host="mx1",process="engine-7"}': steady(3, 0)
    },
    "PosternCertificateEnds": {
        'postern_certificate_days_left{on_host="mx1"}': steady(20, 90)
    },
    "PosternCertificateDoesNotLoad": {
        'postern_certificate_loads{on_host="mx1"}': steady(0, 1)
    },
    "PosternClockWrong": {
        'postern_clock_difference_seconds{on_host="mx1"}': steady(-300, 1)
    },
    "PosternJobsWaiting": {'postern_jobs_oldest_seconds{lane="calls"}': steady(601, 1)},
    "PosternJobFailing": {"postern_jobs_failing": steady(1, 0)},
    "PosternJobGivenUp": {"postern_jobs_given_up": steady(1, 0)},
    "PosternStoreAway": {'postern_alarms_open{rule="store"}': steady(1, 0)},
    "PosternWebhooksNotHeard": {'postern_alarms_open{rule="webhooks"}': steady(2, 0)},
    # promtool's time starts in 1970: 27 hours earlier is negative.
    "PosternBackupLate": {
        "postern_last_backup_timestamp_seconds": steady(-27 * 3600, 0)
    },
    "PosternAlarm": {'postern_alarms_open{rule="disk"}': steady(1, 0)},
}


def promtool(*arguments: str) -> None:
    done = subprocess.run(
        ["promtool", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_the_rules() -> None:
    promtool("check", "rules", str(RULES))


def test_every_rule_has_a_series_here_that_makes_it_fire() -> None:
    assert set(SERIES) == set(ALERTS)


def test_each_alert_fires_and_clears(tmp_path: Path) -> None:
    # JSON is YAML too.
    tests = [_test(name, series) for name, series in SERIES.items()]
    file = tmp_path / "tests.json"
    file.write_text(
        json.dumps(
            {"rule_files": [str(RULES)], "evaluation_interval": STEP, "tests": tests}
        )
    )

    promtool("test", "rules", str(file))


def _test(name: str, series: dict[str, str]) -> dict[str, object]:
    """Returns a test: firing in the faulty time, and not in the healthy one."""
    firing, calm = f"{ILL - 5}m", f"{ILL + WELL - 5}m"
    expressed = ALERTS[name]["expr"]
    return {
        "interval": STEP,
        "input_series": [
            {"series": key, "values": values} for key, values in series.items()
        ],
        "promql_expr_test": [
            {"expr": _firing(name), "eval_time": firing, "exp_samples": [_one(name)]},
            {"expr": _firing(name), "eval_time": calm, "exp_samples": []},
            {"expr": f"count({expressed})", "eval_time": calm, "exp_samples": []},
        ],
    }


def _firing(name: str) -> str:
    return f'count by (alertname) (ALERTS{{alertname="{name}",alertstate="firing"}})'


def _one(name: str) -> dict[str, object]:
    return {"labels": f'{{alertname="{name}"}}', "value": 1}


@pytest.mark.django_db
def test_every_metric_of_a_rule_is_one_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings
) -> None:
    exposed = exposed_metrics(tmp_path, monkeypatch, settings)

    named = {
        re.sub(r"_(bucket|total)$", "", word)
        for rule in ALERTS.values()
        for word in re.findall(r"postern_\w+", rule["expr"])
    }

    # Exported after the first backup only.
    assert named - exposed == {"postern_last_backup_timestamp_seconds"}
    assert process_heartbeats.KINDS == ("engine", "web", "worker")
