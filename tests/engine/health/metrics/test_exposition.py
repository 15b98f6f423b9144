from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from engine.health.metrics import exposition
from engine.health.process_identity import Identity
from engine.observability import metrics
from engine.observability.refusal_reasons import reason_of

ENGINE = Identity("engine", "mx1", 101)
WEB = Identity("web", "mx1", 102)


def samples(name: str) -> dict[tuple[str, str], float]:
    """Returns the samples of a metric, by process and host."""
    page = exposition.render().decode()
    return {
        (sample.labels["process"], sample.labels["host"]): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == name
    }


def test_the_page_has_every_process_once_under_one_heading(var: Path) -> None:
    metrics.LOOP_LAG.set(0.25)
    exposition.write(ENGINE)
    exposition.write(WEB)
    exposition.write(WEB)

    page = exposition.render().decode()

    found = samples("postern_event_loop_lag_seconds")
    assert found == {("engine-101", "mx1"): 0.25, ("web-102", "mx1"): 0.25}
    assert page.count("# TYPE postern_event_loop_lag_seconds gauge") == 1


def test_counters_and_histograms_come_through_as_they_were_counted(var: Path) -> None:
    before = _value("postern_messages_accepted_total")
    metrics.ACCEPTED.labels("receive").inc(3)
    metrics.COMMIT_SECONDS.observe(0.003)
    exposition.write(ENGINE)

    page = exposition.render().decode()

    assert _value("postern_messages_accepted_total") == before + 3
    assert "# TYPE postern_messages_accepted_total counter" in page
    assert 'postern_commit_seconds_bucket{host="mx1",le="+Inf",process=' in page


def _value(name: str) -> float:
    return metrics.REGISTRY.get_sample_value(name, {"source": "receive"}) or 0.0


def test_a_process_that_was_killed_takes_its_series_away(var: Path) -> None:
    exposition.write(ENGINE)
    exposition.write(WEB)
    [dead] = (var / "metrics").glob("engine-*")
    long_ago = time.time() - exposition.STALE - 1
    os.utime(dead, (long_ago, long_ago))

    found = samples("postern_event_loop_lag_seconds")

    assert set(found) == {("web-102", "mx1")}
    assert not dead.exists()


def test_a_process_that_ends_in_order_takes_its_series_with_it(var: Path) -> None:
    exposition.write(ENGINE)

    exposition.withdraw(ENGINE)

    assert samples("postern_event_loop_lag_seconds") == {}


def test_a_file_that_is_no_page_spoils_nothing(
    var: Path, caplog: pytest.LogCaptureFixture
) -> None:
    exposition.write(WEB)
    (var / "metrics" / "engine-7@mx1.prom").write_text('half a {line="')

    assert set(samples("postern_event_loop_lag_seconds")) == {("web-102", "mx1")}
    assert "engine-7@mx1.prom" in caplog.text


@pytest.mark.parametrize(
    ("code", "enhanced", "reason"),
    [
        (550, "5.1.1", "recipient"),
        (553, "5.1.7", "sender"),
        (554, "5.7.1", "content"),
        (550, "5.7.1", "policy"),
        (451, "4.7.1", "scanner"),
        (450, "4.7.1", "rate"),
        (530, "5.7.0", "authentication"),
        (452, "4.2.2", "mailbox"),
        (552, "5.3.4", "size"),
        (451, "4.3.0", "fault"),
        (550, "5.6.0", "form"),
        (550, "", "other"),
    ],
)
def test_a_refusal_is_counted_by_its_reason(
    code: int, enhanced: str, reason: str
) -> None:
    assert reason_of(code, enhanced) == reason
