from __future__ import annotations

import gzip
import json
import zlib
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.tls_reports import report_format
from engine.tls_reports.report_format import ReportError
from tests.tls_reports import YESTERDAY, packed, report

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
PATHS: list[tuple[Any, ...]] = [
    ("organization-name",), ("date-range",), ("date-range", "start-datetime"),
    ("date-range", "end-datetime"), ("contact-info",), ("report-id",), ("policies",),
    ("policies", 0), ("policies", 0, "policy"), ("policies", 0, "summary"),
    ("policies", 0, "policy", "policy-domain"), ("policies", 0, "policy", "policy-type"),
    ("policies", 0, "summary", "total-failure-session-count"),
    ("policies", 0, "failure-details"), ("policies", 0, "failure-details", 0),
    ("policies", 0, "failure-details", 0, "result-type"),
    ("policies", 0, "failure-details", 0, "failed-session-count"),
]  # fmt: skip


def test_the_example_is_read() -> None:
    found = report_format.read(packed(report()))

    assert (found.reporter, found.contact) == ("Firm", "sts-reporting@firm.example")
    assert found.starts_at == YESTERDAY.replace(microsecond=0)
    [policy] = found.policies
    assert (policy.policy_domain, policy.policy_type) == ("secure.example", "sts")
    assert (policy.successes, policy.failures) == (5326, 303)
    assert [one.sessions for one in policy.details] == [100, 203]
    assert policy.details[1].reason == "https://reports.firm.example/1"
    assert report_format.read(json.dumps(report()).encode()) == found


@given(st.sampled_from(PATHS), JSON)
def test_whatever_stands_in_a_place_it_is_read_within_bounds_or_refused(
    path: tuple[Any, ...], value: Any
) -> None:
    content: Any = report()
    place = content
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    try:
        found = report_format.read(packed(content))
    except ReportError as error:
        assert str(error)
        return
    assert 0 < len(found.reporter) <= 200
    assert timedelta(0) < found.ends_at - found.starts_at <= timedelta(days=8)
    for policy in found.policies:
        assert 0 <= policy.failures <= report_format.MOST_SESSIONS
        for one in policy.details:
            assert len(one.result_type) <= 40
            assert (one.reason + one.receiving_host).isprintable()


@given(st.binary(max_size=60))
def test_no_octets_break_it(octets: bytes) -> None:
    for given_octets in (octets, b"\x1f\x8b" + octets, gzip.compress(octets)):
        with pytest.raises(ReportError):
            report_format.read(given_octets)


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (gzip.compress(b" " * (report_format.OCTETS + 1)), "too large"),
        (b" " * (report_format.OCTETS + 1), "too large"),
        (b"\x1f\x8b" + bytes(report_format.PACKED_OCTETS), "too large"),
        (packed(report())[:-9], "cut off"),
        (zlib.compress(b"{}"), "not valid JSON"),
        (b"[" * 200_000, "not valid JSON"),
        (gzip.compress(b'{"a":' * 100_000), "not valid JSON"),
        (b'{"a": 1' + b"0" * 5000 + b"}", "not valid JSON"),
        (b'{"a": NaN}', "not valid JSON"),
        (b'{"organization-name": "\\ud800"}', "must be an object"),
    ],
)
def test_bombs_and_broken_files_are_refused(octets: bytes, why: str) -> None:
    with pytest.raises(ReportError, match=why):
        report_format.read(octets)
