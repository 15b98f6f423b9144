from __future__ import annotations

from io import StringIO
from ipaddress import ip_address, ip_network

import pytest
from django.core.management import CommandError, call_command
from django_q.models import Schedule

from engine.audit.models import Entry
from engine.network.dns import DnsUnavailable
from engine.registry import tasks
from engine.registry.connections.spf import sending_networks
from engine.registry.errors import PolicyError
from engine.registry.models import Provider, ProviderNetworks
from engine.routing import routes
from portal.demo.dns_server import NameServer

MICROSOFT = "spf.protection.outlook.com"
GOOGLE = "_spf.google.com"


@pytest.fixture
def spf(name_server: NameServer) -> NameServer:
    name_server.add_text(
        MICROSOFT, "v=spf1 ip4:40.92.0.0/15 ip6:2a01:111:f400::/48 -all"
    )
    name_server.add_text(GOOGLE, "v=spf1 include:a.example redirect=b.example ~all")
    name_server.add_text("a.example", "v=spf1 ip4:74.125.0.0/16 a mx -all")
    name_server.add_text("b.example", "v=spf1 ip4:209.85.128.0/17 include:a.example")
    return name_server


def test_networks_follow_what_a_record_includes_once(spf: NameServer) -> None:
    assert sending_networks(GOOGLE) == [
        ip_network("74.125.0.0/16"),
        ip_network("209.85.128.0/17"),
    ]


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 -all",
        "v=spf1 ip4:0.0.0.0/0",
        "v=spf1 ip4:10.0.0.0/16",
        "v=spf1 ip4:127.0.0.1",
        "v=spf1 ip6:::/0",
        "v=spf1 ip4:nonsense",
        "v=spf1 include:nowhere.example",
        "no record",
    ],
)
def test_networks_that_make_no_sense(name_server: NameServer, record: str) -> None:
    name_server.add_text(MICROSOFT, record)

    with pytest.raises(PolicyError):
        sending_networks(MICROSOFT)


def test_networks_of_records_without_end(name_server: NameServer) -> None:
    for number in range(20):
        record = f"v=spf1 ip4:40.92.0.0/15 include:{number + 1}.example"
        name_server.add_text(f"{number}.example", record)

    with pytest.raises(PolicyError, match="too many"):
        sending_networks("0.example")


@pytest.mark.django_db
def test_refreshing_changes_who_is_known_and_is_recorded_once(spf: NameServer) -> None:
    tasks.refresh_providers()
    tasks.refresh_providers()

    known = routes.current().source_classes
    shown = frozenset(["mail.protection.outlook.com"])
    assert known.of_peer(ip_address("40.92.1.1"), shown) == {Provider.MICROSOFT_365}
    assert known.of_peer(ip_address("40.92.1.1"), frozenset()) == frozenset()
    assert known.of_peer(ip_address("40.107.1.1"), shown) == frozenset()
    events = [entry.event for entry in Entry.objects.all()]
    assert events == ["provider.networks_changed"] * 2


@pytest.mark.django_db
def test_without_a_look_up_the_built_in_networks_count(spf: NameServer) -> None:
    known = routes.current().source_classes
    shown = frozenset(["mail.protection.outlook.com"])

    assert known.of_peer(ip_address("40.107.1.1"), shown) == {Provider.MICROSOFT_365}
    assert known.of_peer(ip_address("74.125.1.1"), frozenset()) == {
        Provider.GOOGLE_WORKSPACE
    }
    assert known.of_peer(ip_address("74.125.1.1"), shown) == frozenset()


@pytest.mark.django_db
def test_what_is_known_stays_when_nobody_answers(spf: NameServer) -> None:
    tasks.refresh_providers()
    spf.failing.add(MICROSOFT)

    with pytest.raises(DnsUnavailable):
        tasks.refresh_providers()

    assert ProviderNetworks.objects.count() == 2


@pytest.mark.django_db
def test_the_command_says_what_came_of_it(spf: NameServer) -> None:
    said = StringIO()

    call_command("refresh_providers", stdout=said)

    assert "Microsoft 365: 2 networks, changed." in said.getvalue()
    spf.remove(GOOGLE, "TXT")
    with pytest.raises(CommandError, match="Google Workspace"):
        call_command("refresh_providers", stdout=said)


@pytest.mark.django_db
def test_the_look_up_is_scheduled_once() -> None:
    tasks.schedule_jobs()
    tasks.schedule_jobs()

    assert Schedule.objects.filter(name="registry.refresh_providers").count() == 1
