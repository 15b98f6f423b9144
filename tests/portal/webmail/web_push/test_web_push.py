"""Notifications that reach a browser while no page of mail is open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from engine.audit.models import Entry
from engine.database import clock
from engine.registry.actions import organisations, people, sessions
from engine.registry.actions.signing_keys import replace
from engine.registry.errors import PolicyError
from engine.registry.models import Grant, Mailbox, Organisation, Person
from engine.signing import keys
from engine.signing.models import Purpose, SigningKey
from engine.storage.models import Message
from portal.sessions.models import WebSession
from portal.webmail.models import PushedMailbox, PushSubscription
from portal.webmail.tasks import send_pushes
from portal.webmail.web_push import endpoints, sending, subscriptions
from tests import factories
from tests.engine.queue.conftest import Queue
from tests.peers.push_service import Browser, PushService
from tests.portal.conftest import sign_in

pytestmark = pytest.mark.django_db
PAGE = reverse("webmail:arrival_notices")
Subscribe = Callable[..., Browser]


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PushService]:
    with PushService(tmp_path) as running:
        monkeypatch.setattr(settings.POSTERN, "web_push", True)
        monkeypatch.setattr(settings.POSTERN, "web_push_hosts", ["127.0.0.1"])
        monkeypatch.setattr(settings.POSTERN, "probe_private_addresses", True)
        monkeypatch.setenv("SSL_CERT_FILE", str(running.ca_file))
        send_pushes()
        yield running


@pytest.fixture
def subscribe(service: PushService, as_bob: Client, bob: Person) -> Subscribe:
    def run(*mailboxes: Mailbox) -> Browser:
        browser = service.subscribe(subscriptions.application_server_key())
        chosen = [one.pk for one in mailboxes or (bob.mailbox,)]
        answer = as_bob.post(
            reverse("webmail:push_on"), {**browser.keys, "mailboxes": chosen}
        )
        assert answer.status_code == 200, answer.content
        return browser

    return run


@pytest.fixture
def team(northfield: Organisation, bob: Person) -> Mailbox:
    made = factories.make_group_mailbox("team@northfield.secure.example", northfield)
    factories.make_grant(made, bob, can_read=True)
    return made


def arrive(address: str) -> None:
    Queue().send("alice@northfield.secure.example", address)
    Message.objects.update(received_at=timezone.now() - timedelta(minutes=1))


def wait(minutes: float) -> None:
    """Moves what was pushed, and what is to be tried again, back by that much."""
    by = timedelta(minutes=minutes)
    for row in PushedMailbox.objects.exclude(pushed_at=None):
        row.pushed_at -= by
        row.save()
    for one in PushSubscription.objects.all():
        one.next_attempt_at -= by
        one.save()


def test_a_push_names_the_mailbox_and_nothing_of_the_mail(
    subscribe: Subscribe, service: PushService, bob: Person, team: Mailbox
) -> None:
    browser = subscribe(bob.mailbox, team)
    for address in (bob.address, bob.address, bob.address, team.address):
        arrive(address)

    assert send_pushes() == 2

    own, shared = sorted(browser.heard, key=lambda said: said["tag"])
    assert own == {
        "title": f"New mail for {bob.mailbox.name}",
        "tag": f"mailbox-{bob.mailbox.pk}",
        "url": reverse("webmail:mailbox", args=[bob.mailbox.pk]),
    }
    assert shared["title"] == f"New mail for {team.name}"
    # Of one length, whatever the mailbox is called; the last of a mailbox is kept.
    assert len(set(browser.octets)) == 1
    assert len({given["topic"] for given in browser.headers}) == 2
    # A session that ended meanwhile is not notified for long.
    assert {given["ttl"] for given in browser.headers} == {"900"}
    assert service.refused == []


def test_mail_shares_a_push_and_what_was_read_needs_none(
    subscribe: Subscribe, bob: Person
) -> None:
    browser = subscribe()
    arrive(bob.address)
    assert (send_pushes(), send_pushes()) == (1, 0)
    arrive(bob.address)
    arrive(bob.address)
    assert send_pushes() == 0

    wait(3)
    assert send_pushes() == 1
    arrive(bob.address)
    Message.objects.update(is_read=True)
    wait(3)

    assert send_pushes() == 0 and len(browser.heard) == 2


@pytest.mark.parametrize("status", [404, 410])
def test_a_subscription_that_is_gone_is_dropped(
    subscribe: Subscribe, service: PushService, bob: Person, status: int
) -> None:
    subscribe()
    arrive(bob.address)
    service.answers.append((status, {}))

    assert send_pushes() == 0
    assert not PushSubscription.objects.exists()


def test_a_service_that_is_busy_is_asked_later_and_later(
    subscribe: Subscribe, service: PushService, bob: Person
) -> None:
    browser = subscribe()
    arrive(bob.address)
    service.answers += [(429, {"Retry-After": "3600"}), (503, {}), (500, {})]

    assert send_pushes() == 0
    after = PushSubscription.objects.get().next_attempt_at - clock.now()
    assert timedelta(minutes=55) < after <= timedelta(hours=1)
    wait(30)
    assert send_pushes() == 0 and len(service.answers) == 2
    waits = []
    for _ in range(2):
        wait(60)
        send_pushes()
        waits.append(PushSubscription.objects.get().next_attempt_at - clock.now())
    assert waits[0] < waits[1]
    wait(60)

    assert send_pushes() == 1 and len(browser.heard) == 1
    assert PushSubscription.objects.get().attempts == 0


def test_browsers_that_were_not_tried_stay_as_they_were(
    subscribe: Subscribe,
    service: PushService,
    bob: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(4):
        subscribe()
    arrive(bob.address)
    monkeypatch.setattr(sending, "CONCURRENCY", 1)
    monkeypatch.setattr(sending, "FAILURES", 2)
    before = clock.now() - timedelta(minutes=1)
    PushSubscription.objects.update(attempts=3, next_attempt_at=before)
    service.answers += [(503, {})] * 4

    assert send_pushes() == 0

    assert len(service.answers) == 2  # the others were not asked
    rows = PushSubscription.objects.order_by("pk")
    assert [one.attempts for one in rows] == [4, 4, 3, 3]
    assert [one.next_attempt_at for one in rows][2:] == [before, before]
    monkeypatch.setattr(sending, "RUN_SECONDS", -1)
    assert send_pushes() == 0
    assert [one.attempts for one in rows.all()] == [4, 4, 3, 3]
    monkeypatch.setattr(sending, "RUN_SECONDS", 40)
    service.answers.clear()
    assert send_pushes() == 2
    assert [one.attempts for one in rows.all()] == [4, 4, 0, 0]


def test_what_is_refused_again_and_again_is_given_up(
    subscribe: Subscribe, service: PushService, bob: Person
) -> None:
    subscribe()
    arrive(bob.address)
    service.answers += [(400, {})] * sending.REFUSALS

    for _ in range(sending.REFUSALS):
        assert PushSubscription.objects.exists()
        send_pushes()
        wait(400)

    assert not PushSubscription.objects.exists() and service.answers == []


def test_redirects_and_unverified_services_get_nothing(
    subscribe: Subscribe,
    service: PushService,
    bob: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    browser = subscribe()
    arrive(bob.address)
    service.answers.append((307, {"Location": browser.endpoint}))
    assert send_pushes() == 0 and browser.heard == []
    wait(10)
    monkeypatch.delenv("SSL_CERT_FILE")

    assert send_pushes() == 0 and browser.heard == []


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/push/1",
        "https://fcm.googleapis.com:8443/push/1",
        "https://fcm.googleapis.com.evil.example/push/1",
        "https://evil.example/fcm.googleapis.com",
        "https://fcm.googleapis.com@evil.example/",
        "https://jane:secret@fcm.googleapis.com/",
        "https://push.apple.com.evil.example/",
        "https://notify.windows.com/",
        "https://127.0.0.1/push",
        "https://[::1]/push",
        "https://169.254.169.254/latest/",
        "https://localhost/push",
        "https://0x7f.1/push",
        "file:///etc/passwd",
        "https://fcm.googleapis.com/a b",
        "https://fcm.googleapis.com/\r\nX: y",
        "https://fcm.googleapis.com/" + "a" * 1000,
        "https://[fcm.googleapis.com/",
        "",
    ],
)
def test_no_other_host_can_be_named(endpoint: str) -> None:
    with pytest.raises(PolicyError):
        endpoints.checked(endpoint)


def test_the_hosts_of_the_known_services_can() -> None:
    for endpoint in (
        "https://fcm.googleapis.com/fcm/send/abc",
        "https://updates.push.services.mozilla.com/wpush/v2/gAA",
        "https://wns2-par02p.notify.windows.com/w/?token=x",
        "https://web.push.apple.com/QGf",
    ):
        assert endpoints.checked(endpoint).hostname


def test_our_own_network_is_not_dialled_whatever_is_allowed(
    subscribe: Subscribe,
    bob: Person,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    browser = subscribe()
    arrive(bob.address)
    monkeypatch.setattr(settings.POSTERN, "probe_private_addresses", False)
    # Its port alone would be refused before it is dialled.
    monkeypatch.setattr(endpoints, "checked", urlsplit)
    with caplog.at_level("WARNING"):
        assert send_pushes() == 0

    assert browser.heard == []
    assert "no answer: PolicyError" in caplog.text
    assert PushSubscription.objects.get().attempts == 1
    monkeypatch.setattr(settings.POSTERN, "probe_private_addresses", True)
    wait(10)
    assert send_pushes() == 1  # by the same endpoint


def end_by_signing_out(client: Client, bob: Person) -> None:
    client.post(reverse("account_logout"))


def end_session(client: Client, bob: Person) -> None:
    WebSession.objects.update(expire_date=timezone.now() - timedelta(seconds=1))


def change_password(client: Client, bob: Person) -> None:
    sessions.revoke(bob)


def suspend(client: Client, bob: Person) -> None:
    people.suspend(bob, reason="left", by=None)


def take_mailbox(client: Client, bob: Person) -> None:
    Mailbox.objects.filter(owner=bob).update(is_active=False)


def stop_organisation(client: Client, bob: Person) -> None:
    organisations.edit(bob.organisation, allows_web_push=False, by=None)


def rotate(client: Client, bob: Person) -> None:
    replace(Purpose.WEB_PUSH, by=None)


def remove(client: Client, bob: Person) -> None:
    row = PushSubscription.objects.get()
    client.post(reverse("webmail:push_remove", args=[row.pk]))


@pytest.mark.parametrize(
    "end",
    [
        end_by_signing_out,
        end_session,
        change_password,
        suspend,
        take_mailbox,
        stop_organisation,
        rotate,
        remove,
    ],
)
def test_nothing_is_sent_after(
    end: Callable[[Client, Person], None],
    subscribe: Subscribe,
    as_bob: Client,
    bob: Person,
) -> None:
    browser = subscribe()
    arrive(bob.address)
    end(as_bob, bob)

    assert send_pushes() == 0 and browser.heard == []


def test_a_right_that_ended_gives_no_push(
    subscribe: Subscribe, team: Mailbox, bob: Person
) -> None:
    browser = subscribe(team)
    arrive(team.address)
    Grant.objects.filter(person=bob).delete()

    assert send_pushes() == 0 and browser.heard == []


def test_a_later_sign_in_renews_what_was_not_removed(
    subscribe: Subscribe, as_bob: Client, bob: Person, alice: Person
) -> None:
    browser = subscribe()
    url = reverse("webmail:push_renew")
    WebSession.objects.all().delete()
    as_bob.logout()
    arrive(bob.address)
    later = _sign_in(bob)

    assert later.post(url, {"endpoint": browser.endpoint}).status_code == 204
    assert send_pushes() == 0  # what came meanwhile is on the page
    arrive(bob.address)
    assert send_pushes() == 1
    assert _sign_in(alice).post(url, {"endpoint": browser.endpoint}).status_code != 204
    row = PushSubscription.objects.get()
    assert later.post(reverse("webmail:push_remove", args=[row.pk])).status_code == 302

    assert later.post(url, {"endpoint": browser.endpoint}).status_code == 410


def test_the_page_lists_browsers_and_says_where_there_are_none(
    subscribe: Subscribe,
    as_bob: Client,
    bob: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "Notify this browser" in as_bob.get(PAGE).content.decode()
    subscribe()

    page = as_bob.get(PAGE).content.decode()
    assert "(this one)" in page and "This browser is notified of new mail." in page
    row = PushSubscription.objects.get()
    assert row.endpoint not in page
    stranger = reverse("webmail:push_remove", args=[row.pk + 1])
    assert as_bob.post(stranger).status_code == 404
    removed = as_bob.post(reverse("webmail:push_remove", args=[row.pk]), follow=True)
    assert "is no longer notified" in removed.content.decode()
    events = {"person.push_on", "person.push_off"}
    assert events <= set(Entry.objects.values_list("event", flat=True))

    organisations.edit(bob.organisation, allows_web_push=False, by=None)
    assert "does not allow notifications" in as_bob.get(PAGE).content.decode()
    monkeypatch.setattr(settings.POSTERN, "web_push", False)
    page = as_bob.get(PAGE).content.decode()
    assert "This service does not send notifications" in page
    assert "Notify this browser" not in page


def compressed(browser: Browser) -> str:
    """The browser's key, as no browser gives it."""
    public = browser.private.public_key()
    point = public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    return endpoints.encoded(point)


def test_what_a_browser_sends_is_checked(
    service: PushService, as_bob: Client, bob: Person, team: Mailbox, alice: Person
) -> None:
    browser = service.subscribe(subscriptions.application_server_key())
    good = {**browser.keys, "mailboxes": bob.mailbox.pk}
    for wrong in (
        {"endpoint": "https://evil.example/"},
        {"p256dh": "AAAA"},
        {"p256dh": "é"},
        {"auth": "AAAA"},
        {"p256dh": compressed(browser)},
        {"mailboxes": alice.mailbox.pk},
        {"mailboxes": "nothing"},
    ):
        answer = as_bob.post(reverse("webmail:push_on"), good | wrong)
        assert answer.status_code == 400 and answer.json()["refusal"]
    noisy = good | {name: f"$${browser.keys[name]}==" for name in ("p256dh", "auth")}
    assert as_bob.post(reverse("webmail:push_on"), noisy).status_code == 200
    row = PushSubscription.objects.get()
    assert {"p256dh": row.p256dh, "auth": row.auth}.items() <= browser.keys.items()
    for _ in range(subscriptions.MOST + 1):
        one = service.subscribe(subscriptions.application_server_key())
        as_bob.post(reverse("webmail:push_on"), good | one.keys)

    assert PushSubscription.objects.count() == subscriptions.MOST


def test_the_key_is_sealed_and_not_among_the_published(db: None) -> None:
    subscriptions.application_server_key()

    key = SigningKey.objects.get(purpose=Purpose.WEB_PUSH)
    assert "PRIVATE" not in key.sealed_private_key
    assert key.key_id not in {one["id"] for one in keys.published()}


def _sign_in(person: Person) -> Client:
    return sign_in(Client(), person, second_factor=True)
