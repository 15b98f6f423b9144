"""MTA-STS: a domain's policy, served by HTTPS, and the mail that goes to its exchanger."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from engine.queue.models import Recipient, RecipientStatus
from engine.registry.models import Domain, TransportPolicy
from engine.trace.models import Event, EventKind
from engine.transport import sts_policies
from onboarding.connecting import next_hop_monitor, tasks
from tests import factories
from tests.engine.queue.conftest import JANE

pytestmark = pytest.mark.django_db

HOST, OTHER = "mail.firm.example", "other.firm.example"
POLICY = "version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: 604800\n"


class Site:
    """The web server of mta-sts.firm.example."""

    def __init__(self, context: ssl.SSLContext) -> None:
        site = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(site.status)
                self.send_header("Content-Type", site.kind)
                self.send_header("Location", self.path)
                self.end_headers()
                self.wfile.write(site.body.encode())

            def log_message(self, *_: object) -> None:
                pass

        self.status, self.kind, self.body = 200, "text/plain", ""
        self._server = HTTPServer(("127.0.0.1", 0), Answer)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def site(authority, name_server, settings, monkeypatch) -> Iterator[Site]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made = authority.issue("mta-sts.firm.example")
    context.load_cert_chain(made.cert_file, made.key_file)
    running = Site(context)
    where = f"https://mta-sts.{{domain}}:{running.port}/.well-known/mta-sts.txt"
    monkeypatch.setattr(sts_policies, "URL", where)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    monkeypatch.setattr(settings.POSTERN, "probe_private_addresses", True)
    name_server.add("mta-sts.firm.example", "A", "127.0.0.1")
    name_server.add(HOST, "A", "127.0.0.1")
    known = socket.getaddrinfo

    def found(host, *rest, **named):
        return known("127.0.0.1" if host == HOST else host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", found)
    name_server.add("firm.example", "MX", f"10 {HOST}.")
    announce(name_server, "1")
    yield running
    running.stop()


def announce(name_server, policy_id: str) -> None:
    name_server.remove("_mta-sts.firm.example", "TXT")
    name_server.add_text("_mta-sts.firm.example", f"v=STSv1; id={policy_id};")
    sts_policies.dns.flush_cache()


@pytest.fixture
def connection(firm, make_hop):
    hop = make_hop(HOST)
    return factories.make_connection(
        firm, next_hop_host=HOST, next_hop_port=hop.port
    ), hop


def refresh() -> TransportPolicy | None:
    sts_policies.refresh(Domain.objects.get(member_domain="firm.example"))
    return TransportPolicy.objects.first()


@pytest.mark.parametrize(
    ("mode", "mx", "status", "result"),
    [
        ("enforce", HOST, RecipientStatus.RELAYED, None),
        ("enforce", OTHER, RecipientStatus.QUEUED, "validation-failure"),
        ("testing", OTHER, RecipientStatus.RELAYED, "validation-failure"),
        ("none", OTHER, RecipientStatus.RELAYED, None),
    ],
)
def test_mail_goes_to_hosts_that_an_enforced_policy_lists(
    queue, bob, site, connection, mode, mx, status, result
):
    site.body = POLICY.format(mode=mode, mx=mx)
    refresh()
    reference = queue.send(bob.address, JANE)

    queue.run()

    assert queue.status(reference) is status, queue.recipient(reference).last_reply
    detail = Event.objects.order_by("pk").last().detail
    assert detail["tls_policy"] == ("no-policy-found" if mode == "none" else "sts")
    assert detail.get("tls_result") == result
    waits = status is RecipientStatus.QUEUED
    assert len(connection[1].received) == (0 if waits else 1)
    assert queue.recipient(reference).tls_failures == int(waits)
    fault = next_hop_monitor.check(connection[0]).fault
    assert ("does not list mail.firm.example" in fault) == waits


def test_policy_is_kept_until_its_end_and_fetched_again_for_a_new_id(
    site, name_server, firm
):
    site.body = POLICY.format(mode="testing", mx=OTHER)
    first = refresh()
    site.body = POLICY.format(mode="enforce", mx=HOST)
    assert refresh().text == first.text
    announce(name_server, "2")
    site.status = 404
    kept = refresh()
    assert (kept.text, kept.policy_id) == (first.text, "1")
    assert kept.fault == "The web server answered 404."
    name_server.remove("_mta-sts.firm.example", "TXT")
    sts_policies.dns.flush_cache()
    assert refresh().text == first.text
    announce(name_server, "2")
    site.status = 200

    assert "mode: enforce" in refresh().text
    [bound] = sts_policies.in_force(["firm.example"])
    assert bound.exchangers == {HOST}
    past = timezone.now() - timedelta(seconds=1)
    TransportPolicy.objects.update(expires_at=past)
    assert sts_policies.in_force(["firm.example"]) == ()


@pytest.mark.parametrize(
    ("over", "why"),
    [
        ({"status": 301}, "answered 301"),
        ({"status": 204}, "answered 204"),
        ({"kind": "text/html"}, "not served as text/plain"),
        ({"body": "x" * 70_000}, "too long"),
        ({"body": "version: STSv1"}, "no mode"),
    ],
)
def test_what_is_no_policy_is_not_kept(site, firm, over, why):
    site.body = POLICY.format(mode="enforce", mx=HOST)
    vars(site).update(over)

    with pytest.raises(sts_policies.NotFetchedError, match=why):
        sts_policies.fetch("firm.example")
    assert refresh() is None


@pytest.mark.parametrize("fault", ["authority", "private", "silent"])
def test_policy_is_fetched_only_from_the_true_server(
    site, firm, settings, monkeypatch, fault
):
    site.body = POLICY.format(mode="enforce", mx=HOST)
    match fault:
        case "authority":
            monkeypatch.delenv("SSL_CERT_FILE")
        case "private":
            monkeypatch.setattr(settings.POSTERN, "probe_private_addresses", False)
        case "silent":
            monkeypatch.setattr(sts_policies, "SECONDS", 0.0)

    with pytest.raises(sts_policies.NotFetchedError):
        sts_policies.fetch("firm.example")


def test_job_looks_at_each_domain_with_a_server(site, connection):
    site.body = POLICY.format(mode="enforce", mx=HOST)
    domain = Domain.objects.get(member_domain="firm.example")

    tasks.refresh_policies()
    tasks.refresh_policy(domain.pk)

    assert OrmQ.objects.count() == 1
    assert TransportPolicy.objects.get().domain == domain


def test_policy_holds_up_no_other_domain_of_the_same_connection(
    queue, bob, site, connection, firm
):
    factories.make_domain(firm, "second.example")
    site.body = POLICY.format(mode="enforce", mx=OTHER)
    refresh()
    reference = queue.send(bob.address, JANE, "joe@second.example.secure.example")

    queue.run()

    rows = Recipient.objects.filter(message__reference=reference)
    statuses = dict(rows.values_list("address", "status"))
    assert statuses == {
        JANE: RecipientStatus.QUEUED,
        "joe@second.example.secure.example": RecipientStatus.RELAYED,
    }
    relayed = Event.objects.get(kind=EventKind.RELAYED).detail
    assert relayed["tls_policy"] == "no-policy-found"


def test_policy_binds_no_host_that_is_not_among_the_exchangers(
    queue, bob, site, connection, name_server
):
    name_server.remove("firm.example", "MX")
    name_server.add("firm.example", "MX", "10 elsewhere.firm.example.")
    site.body = POLICY.format(mode="enforce", mx="elsewhere.firm.example")
    refresh()
    reference = queue.send(bob.address, JANE)

    queue.run()

    assert queue.status(reference) is RecipientStatus.RELAYED
