"""SPF by the published test suite of RFC 7208, and on hostile records."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.authentication import spf, spf_macros, spf_record
from engine.mail.authentication.lookup import Lookup, LookupUnavailable
from engine.mail.authentication.spf import SpfResult
from engine.mail.authentication.spf_macros import Macros, SpfSyntaxError
from engine.mail.authentication.spf_record import Spf

# (C) 2006-2014 Stuart D Gathman, Julian Mehnle, Scott Kitterman; the licence is beside it.
SUITE = Path(__file__).parents[3] / "messages" / "rfc7208-tests.yml"


def _cases() -> Iterator[Any]:
    for scenario in yaml.load_all(SUITE.read_text(), Loader=yaml.CSafeLoader):
        for name, test in scenario["tests"].items():
            yield pytest.param(scenario["zonedata"], test, id=name)


def zone(data: Mapping[str, list[Any]]) -> Lookup:
    """Returns a lookup in the suite's form of zone data."""
    folded = {name.lower().rstrip("."): records for name, records in data.items()}

    async def look_up(name: str, kind: str) -> tuple[str, ...] | None:
        if any(not 0 < len(label.encode()) <= 63 for label in name.split(".")):
            return None
        records = folded.get(name.lower().rstrip("."))
        if records is None:
            return None
        found = []
        kinds = {next(iter(r)) for r in records if isinstance(r, dict)}
        for record in records:
            if record == "TIMEOUT":
                # For the types that are not listed before it.
                if not found:
                    raise LookupUnavailable(name)
                continue
            [(held, value)] = record.items()
            # Written as records of type SPF, which RFC 7208 has withdrawn, unless the
            # suite says what TXT is.
            held = "TXT" if held == "SPF" and "TXT" not in kinds else held
            if held == "CNAME":
                return await look_up(value, kind)
            if held == kind and value != "NONE":
                found.append(_text(kind, value))
        return tuple(found)

    return look_up


def _text(kind: str, value: Any) -> str:
    match kind:
        case "TXT":
            return "".join(value) if isinstance(value, list) else str(value)
        case "MX":
            return f"{value[0]:05} {value[1]}"
        case "AAAA" | "A":
            return str(ip_address(value))
        case _:
            return str(value)


def check(data: Mapping[str, list[Any]], test: Mapping[str, Any]) -> SpfResult:
    return asyncio.run(
        spf.check_host(
            zone(data),
            address=ip_address(test["host"]),
            sender=test["mailfrom"],
            helo=test["helo"],
        )
    )


@pytest.mark.parametrize(("data", "test"), [*_cases()])
def test_the_published_suite(
    data: Mapping[str, list[Any]], test: Mapping[str, Any]
) -> None:
    wanted = test["result"]

    found = check(data, test)

    assert found.outcome in ([wanted] if isinstance(wanted, str) else wanted), found


def of(record: str, address: str = "192.0.2.1", **names: list[Any]) -> SpfResult:
    """Evaluates a record of firm.example's."""
    data = {"firm.example": [{"SPF": record}], **names}
    test = {"host": address, "mailfrom": "jane@firm.example", "helo": "h.example"}
    return check(data, test)


def test_an_ipv4_client_in_ipv6_form() -> None:
    assert of("v=spf1 ip4:192.0.2.1 -all", "::ffff:192.0.2.1").outcome is Spf.PASS


def test_the_reason_is_told_where_the_record_is_at_fault() -> None:
    assert of("v=spf1 ipv4:192.0.2.1").reason == "unknown mechanism"
    lookups = " ".join(f"a:h{n}.firm.example" for n in range(11))
    hosts = {f"h{n}.firm.example": [{"A": "198.51.100.1"}] for n in range(11)}
    assert of(f"v=spf1 {lookups} -all", **hosts).reason == "too many lookups"


def test_names_that_do_not_exist_are_looked_up_twice_and_no_more() -> None:
    found = of("v=spf1 a:x.example a:y.example a:z.example +all")

    assert found.outcome is Spf.PERMERROR
    assert found.reason == "too many lookups that find nothing"
    assert of("v=spf1 a:x.example a:y.example +all").outcome is Spf.PASS


def test_a_record_that_includes_itself_ends() -> None:
    assert of("v=spf1 include:firm.example -all").outcome is Spf.PERMERROR


def test_a_macro_that_grows_does_not_go_on_growing() -> None:
    found = of(f"v=spf1 exists:{'%{d}.' * 1500}%{{d}} -all")

    assert found.outcome is Spf.FAIL


TERMS = st.lists(
    st.one_of(
        st.text("+-~?%{}:/=.0123456789abcdefilmnoprstx ", max_size=30),
        st.sampled_from(
            ["a", "mx", "ptr", "-all", "include:x.example", "ip4:192.0.2.0/24",
             "ip6:2001:db8::/32", "redirect=x.example", "exists:%{ir}.%{d2}", "exp=%{c}"]
        ),
    ),
    max_size=8,
).map(" ".join)  # fmt: skip


@given(st.one_of(TERMS, st.text(max_size=60)))
def test_a_hostile_record_is_parsed_or_refused(terms: str) -> None:
    try:
        record = spf_record.parse(f"v=spf1 {terms}")
    except SpfSyntaxError:
        return

    assert record == spf_record.parse(f"v=SPF1  {terms} ")
    assert isinstance(of(f"v=spf1 {terms}").outcome, Spf)


@given(st.text(max_size=40), st.text(max_size=40))
def test_what_macros_stand_for_is_never_longer_than_a_name(
    local: str, spec: str
) -> None:
    macros = Macros(f"{local}@firm.example", "firm.example", "h", ip_address("::1"))
    text = f"{spec}%{{s}}.%{{L}}.%{{ir-}}.firm.example"
    try:
        spf_macros.domain_spec(text)
    except SpfSyntaxError:
        return

    assert len(spf_macros.expand(text, macros)) <= spf_macros.MAX_DOMAIN
