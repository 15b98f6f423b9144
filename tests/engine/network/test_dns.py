from __future__ import annotations

from ipaddress import ip_address

import pytest
from django.conf import settings

from engine.network import dns
from portal.demo.dns_server import NameServer


def test_mx_has_the_preferred_first(name_server: NameServer) -> None:
    name_server.add("firm.example", "MX", "20 b.firm.example.", "10 A.Firm.example.")

    found = dns.mx("firm.example")

    assert [(one.preference, one.host.lower()) for one in found] == [
        (10, "a.firm.example"),
        (20, "b.firm.example"),
    ]


def test_mx_of_a_domain_that_takes_no_mail(name_server: NameServer) -> None:
    name_server.add("firm.example", "MX", "0 .")

    assert dns.mx("firm.example") == [dns.MailExchanger(0, "")]


def test_txt_joins_the_strings_of_each_record(name_server: NameServer) -> None:
    name_server.add_text("k._domainkey.firm.example", "p=" + "x" * 600)

    assert dns.txt("k._domainkey.firm.example") == ["p=" + "x" * 600]


def test_addresses_are_of_both_kinds(name_server: NameServer) -> None:
    name_server.add("mail.firm.example", "A", "192.0.2.1")
    name_server.add("mail.firm.example", "AAAA", "2001:db8::1")

    assert dns.addresses("mail.firm.example") == [
        ip_address("192.0.2.1"),
        ip_address("2001:db8::1"),
    ]


@pytest.mark.parametrize(
    "name",
    ["nobody.example", "a..b", "x" * 64 + ".example", "", "bü\u200bcher.example"],
)
def test_txt_where_there_is_nothing(name_server: NameServer, name: str) -> None:
    assert dns.txt(name) == []


def test_a_server_out_of_order_is_not_the_same_as_nothing(
    name_server: NameServer,
) -> None:
    name_server.failing.add("firm.example")

    with pytest.raises(dns.DnsUnavailable):
        dns.mx("firm.example")


def test_nobody_who_answers_is_not_the_same_as_nothing(
    name_server: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dns, "TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(settings.POSTERN, "dns_servers", ["127.0.0.1:9"])

    with pytest.raises(dns.DnsUnavailable):
        dns.txt("firm.example")
