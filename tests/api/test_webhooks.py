"""Notifying other systems by webhook."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone
from jsonschema import Draft202012Validator, FormatChecker
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from api.models import WebhookBackoff, WebhookCall, WebhookCursor, WebhookState
from api.openapi.document import openapi_document
from api.webhooks import delivery, http_client
from api.webhooks.enqueue import enqueue_new_events
from api.webhooks.http_client import Gone, NotAccepted
from engine.database import clock
from engine.queue import recall
from engine.queue.models import QueuedMessage, Recipient
from engine.registry.models import (
    Connection,
    DistributionList,
    Mailbox,
    Organisation,
    Person,
    Posting,
    WebhookEndpoint,
    WebhookEvent,
)
from engine.storage.models import Message
from engine.trace import event_log
from engine.trace.models import EventKind
from portal.demo.dns_server import NameServer
from tests import factories
from tests.api.conftest import Api, Key
from tests.engine.queue.conftest import Queue

pytestmark = pytest.mark.django_db
URL = "https://cases.example/hook"


class Listener:
    """An endpoint that records its calls and answers as the test sets."""

    def __init__(self) -> None:
        self.calls: list[tuple[bytes, Mapping[str, str]]] = []
        self.error: Exception | None = None

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> str:
        self.calls.append((body, headers))
        if self.error is not None:
            raise self.error
        return "204 No Content"


@pytest.fixture
def call(key: Key, northfield: Organisation) -> Api:
    enqueue_new_events()  # Only events from now on.
    return key(northfield)


@pytest.fixture
def listener() -> Listener:
    return Listener()


def create_endpoint(call: Api, *events: str, **over: object) -> dict[str, object]:
    wanted = {"url": URL, "events": events or ["message.delivered"], **over}
    return call("POST", "/webhooks/", wanted).json()


def send(call: Api, sender: Person, to: Person | DistributionList) -> str:
    letter = {
        "mailbox": sender.mailbox.pk,
        "to": [to.address],
        "subject": "",
        "text": "",
    }
    return call("POST", "/messages/", letter).json()["reference"]


def test_delivery_is_told_once_and_signed(
    call: Api, listener: Listener, bob: Person, charlie: Person
) -> None:
    secret = str(create_endpoint(call)["secret"])
    reference = send(call, bob, charlie)

    for _ in range(2):
        enqueue_new_events()
        delivery.deliver(listener)

    [(body, headers)] = listener.calls
    notified = Webhook(secret).verify(body, dict(headers))
    assert notified["type"] == "message.delivered"
    assert notified["data"]["reference"] == reference
    assert notified["data"]["recipient"] == charlie.address
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + b" ", dict(headers))


def test_each_organisation_is_told_of_its_own_side(
    key: Key, call: Api, bob: Person, charlie: Person, firm: Organisation
) -> None:
    events = ("message.delivered", "message.received")
    for caller in (call, key(charlie.organisation), key(firm), key(None)):
        create_endpoint(caller, *events)
    send(call, bob, charlie)

    enqueue_new_events()

    notified = {
        (one.endpoint.organisation_id, one.event)
        for one in WebhookCall.objects.select_related("endpoint")
    }
    assert notified == {
        (bob.organisation_id, "message.delivered"),
        (charlie.organisation_id, "message.received"),
        (None, "message.delivered"),
        (None, "message.received"),
    }


def test_whom_a_list_reaches_is_told_to_its_owner_only(
    key: Key, call: Api, bob: Person, charlie: Person
) -> None:
    harbour = charlie.organisation
    listed = factories.make_list(
        "duty@harbour.secure.example",
        harbour,
        charlie.address,
        "gone@harbour.secure.example",
        posting=Posting.COMMUNITY,
    )
    for caller in (call, key(harbour)):
        create_endpoint(caller, "message.delivered", "message.failed")
    send(call, bob, listed)
    Queue().run()

    enqueue_new_events()

    notified = {
        (one.endpoint.organisation_id, one.payload["data"]["recipient"])
        for one in WebhookCall.objects.select_related("endpoint")
    }
    assert notified == {
        (harbour.pk, charlie.address),
        (harbour.pk, "gone@harbour.secure.example"),
    }


def test_what_happened_before_is_not_told(
    call: Api, bob: Person, charlie: Person
) -> None:
    send(call, bob, charlie)
    create_endpoint(call)

    assert enqueue_new_events() == 0


@pytest.mark.parametrize("minutes", [-5, 5])
def test_what_a_host_with_a_wrong_clock_wrote_is_passed_when_all_before_it_are_there(
    call: Api, bob: Person, charlie: Person, minutes: int
) -> None:
    """The cursor trails by a minute: earlier ids may not have been committed yet."""
    create_endpoint(call)
    enqueue_new_events()
    before = WebhookCursor.objects.get(source="trace").last_id
    with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
        send(call, bob, charlie)
        enqueue_new_events()

    assert WebhookCursor.objects.get(source="trace").last_id == before


@pytest.mark.usefixtures("clocks_agree")
def test_nothing_is_told_twice_when_the_mark_was_lost(
    call: Api, bob: Person, charlie: Person
) -> None:
    create_endpoint(call)
    send(call, bob, charlie)

    assert [enqueue_new_events(), enqueue_new_events()] == [1, 0]
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        assert [enqueue_new_events(), enqueue_new_events()] == [0, 0]


def data_of(event: str) -> list[dict[str, object]]:
    """Returns what the calls of an event say, oldest first."""
    rows = WebhookCall.objects.filter(event=event).order_by("pk")
    return [row.payload["data"] for row in rows]


def test_message_that_came_in_can_be_read_by_what_the_call_says(
    key: Key, call: Api, bob: Person, charlie: Person
) -> None:
    harbour = key(charlie.organisation)
    create_endpoint(harbour, "message.received")
    reference = send(call, bob, charlie)

    enqueue_new_events()

    [notified] = data_of("message.received")
    assert notified["mailbox"] == charlie.mailbox.pk
    read = harbour("GET", f"/messages/{notified['message']}/").json()
    assert (read["reference"], read["mailbox"]) == (reference, charlie.mailbox.pk)


def test_what_a_list_brings_can_be_read_too(
    key: Key, call: Api, bob: Person, charlie: Person
) -> None:
    create_endpoint(key(charlie.organisation), "message.received")
    listed = factories.make_list(
        "duty@harbour.secure.example",
        charlie.organisation,
        charlie.address,
        posting=Posting.COMMUNITY,
    )
    send(call, bob, listed)
    Queue().run(until_nothing_is_due=True)

    enqueue_new_events()

    [notified] = data_of("message.received")
    message = Message.objects.get(pk=notified["message"])
    assert message.mailbox == charlie.mailbox
    assert message.reference == notified["reference"]


@pytest.fixture
def dead_firm(firm: Organisation) -> Connection:
    """Firm's connection, where nobody listens."""
    return factories.make_connection(firm, next_hop_port=closed_port())


def closed_port() -> int:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        return int(reserved.getsockname()[1])


JANE = "jane@firm.example.secure.example"


@pytest.fixture
def jane(firm: Organisation) -> Person:
    return factories.make_person(JANE, firm)


@pytest.mark.usefixtures("dead_firm")
def test_delay_is_told_once_and_to_the_sender_alone(
    key: Key, call: Api, bob: Person, jane: Person
) -> None:
    create_endpoint(call, "message.delayed")
    create_endpoint(key(jane.organisation), "message.delayed")
    reference = send(call, bob, jane)
    queue = Queue()
    for _ in range(2):
        queue.make_all_due()
        queue.run()
        enqueue_new_events()

    [notified] = data_of("message.delayed")
    assert notified["organisation"] == bob.organisation_id
    assert (notified["reference"], notified["recipient"]) == (reference, JANE)
    assert "4.4.1" in str(notified["reply"])


@pytest.mark.usefixtures("dead_firm")
def test_mail_that_waits_untried_behind_a_server_that_is_down_is_told_too(
    call: Api, bob: Person, jane: Person
) -> None:
    create_endpoint(call, "message.delayed")
    tried, untried = (send(call, bob, jane) for _ in range(2))
    queue = Queue()
    waiting = Recipient.objects.filter(message__reference=untried)
    waiting.update(next_attempt_at=clock.now() + timedelta(hours=1))
    queue.run()
    WebhookEndpoint.objects.update(created_at=clock.now() - timedelta(hours=1))
    ago = clock.now() - timedelta(minutes=5)
    Recipient.objects.update(next_attempt_at=ago, leased_until=None)

    for _ in range(2):
        enqueue_new_events()

    assert [one["reference"] for one in data_of("message.delayed")] == [tried, untried]
    assert "4.4.1" in str(data_of("message.delayed")[1]["reply"])


@pytest.mark.usefixtures("dead_firm")
def test_what_was_returned_is_told_with_the_reason(
    call: Api, bob: Person, jane: Person
) -> None:
    create_endpoint(call, "message.failed")
    event_log.save(
        [
            event_log.event(
                send(call, bob, jane),
                EventKind.FAILED,
                JANE,
                reply="550 5.1.1 No such mailbox",
            )
        ]
    )

    enqueue_new_events()

    [notified] = data_of("message.failed")
    assert notified["reply"] == "550 5.1.1 No such mailbox"


def test_refusal_is_told_to_whom_it_concerns_and_a_mere_claim_to_nobody(
    key: Key, call: Api, bob: Person, firm: Organisation
) -> None:
    for caller in (call, key(firm), key(None)):
        create_endpoint(caller, "message.refused")
    facts = {
        "reply": "550 5.1.1 No such address",
        "command": "RCPT",
        "sender": bob.address,
        "organisation_id": bob.organisation_id,
    }
    event_log.save(
        [
            event_log.event("A1", EventKind.REFUSED, "nobody@x.example", **facts),
            event_log.event("B2", EventKind.REFUSED, is_claim=True, **facts),
        ]
    )

    enqueue_new_events()

    calls = WebhookCall.objects.select_related("endpoint")
    assert {one.endpoint.organisation_id for one in calls} == {
        bob.organisation_id,
        None,
    }
    assert data_of("message.refused") == 2 * [
        {
            "organisation": bob.organisation_id,
            "reference": "A1",
            "sender": bob.address,
            "recipient": "nobody@x.example",
            "reply": "550 5.1.1 No such address",
        }
    ]


@pytest.mark.parametrize("is_purged", [False, True])
def test_a_recall_is_told_to_the_sender_and_to_those_who_had_it(
    key: Key, call: Api, bob: Person, charlie: Person, is_purged: bool
) -> None:
    for caller in (call, key(charlie.organisation), key(None)):
        create_endpoint(caller, "message.recalled")
    reference = send(call, bob, charlie)
    [message] = Message.objects.filter(mailbox=charlie.mailbox)
    sent = Message.objects.get(mailbox=bob.mailbox, reference=reference)
    if is_purged:
        Recipient.objects.all().delete()
        QueuedMessage.objects.all().delete()

    recall.recall(sent, by=bob)
    enqueue_new_events()

    calls = {
        one.endpoint.organisation_id: one.payload["data"]
        for one in WebhookCall.objects.select_related("endpoint")
    }
    theirs = {
        "organisation": charlie.organisation_id,
        "reference": reference,
        "recipient": charlie.address,
        "mailbox": charlie.mailbox.pk,
        "message": message.pk,
    }
    assert calls == {
        charlie.organisation_id: theirs,
        None: theirs,
        bob.organisation_id: {
            "organisation": bob.organisation_id,
            "reference": reference,
            "recipient": charlie.address,
            "mailbox": None,
            "message": None,
        },
    }
    assert WebhookCall.objects.count() == 3


@pytest.mark.usefixtures("dead_firm")
def test_the_document_describes_every_call(
    key: Key, call: Api, bob: Person, charlie: Person, jane: Person
) -> None:
    webhooks = openapi_document()["webhooks"]
    assert set(webhooks) == {*WebhookEvent}
    create_endpoint(key(None), *WebhookEvent)
    reference = send(call, bob, charlie)
    send(call, bob, jane)
    event_log.save(
        event_log.event(reference, kind, charlie.address, reply="550 5.1.1 No")
        for kind in (
            EventKind.FAILED,
            EventKind.REFUSED,
            EventKind.DEFERRED,
            EventKind.RECALLED,
        )
    )

    enqueue_new_events()

    made = list(WebhookCall.objects.all())
    assert len({one.event for one in made}) == 6
    for one in made:
        content = webhooks[one.event]["post"]["requestBody"]["content"]
        schema = content["application/json"]["schema"]
        assert set(one.payload) == set(schema["properties"])
        # As a set: PostgreSQL does not keep the order of a JSON object.
        assert {*one.payload["data"]} == {*schema["properties"]["data"]["required"]}
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(
            one.payload
        )


def test_what_was_received_is_found_by_the_links_of_its_event(
    key: Key, call: Api, bob: Person, charlie: Person
) -> None:
    chambers = key(charlie.organisation)
    create_endpoint(chambers, "message.received")
    reference = send(call, bob, charlie)

    enqueue_new_events()

    data = WebhookCall.objects.get().payload["data"]
    at = data["message_url"].partition("/api/v1")[2]
    assert chambers("GET", at).json()["reference"] == reference
    raw = chambers("GET", data["raw_url"].partition("/api/v1")[2])
    assert raw["Content-Type"] == "message/rfc822"
    assert b"From: " in raw.content
    trace = chambers("GET", data["trace_url"].partition("/api/v1")[2]).json()
    assert trace["reference"] == reference
    assert call("GET", at).status_code == 404


def test_tickets_are_told(key: Key, call: Api, helpdesk: Mailbox, bob: Person) -> None:
    create_endpoint(call, "ticket.created", "ticket.replied", "ticket.solved")
    new = {"requester": bob.pk, "subject": "Locked out", "text": "Please help"}
    at = f"/tickets/{call('POST', '/tickets/', new).json()['id']}/reply/"
    key(None)("POST", at, {"text": "Done.", "status": "solved"})

    enqueue_new_events()

    notified = WebhookCall.objects.order_by("pk").values_list("event", flat=True)
    assert list(notified) == ["ticket.created", "ticket.replied", "ticket.solved"]


def test_silent_endpoint_is_told_again_later_and_at_last_given_up(
    call: Api, listener: Listener, bob: Person, charlie: Person
) -> None:
    create_endpoint(call)
    send(call, bob, charlie)
    enqueue_new_events()
    listener.error = NotAccepted("500 Internal Server Error")

    for _ in range(12):
        make_calls_due()
        delivery.deliver(listener)

    notified = WebhookCall.objects.get()
    assert len(listener.calls) == notified.attempts == len(delivery.RETRY_DELAYS) + 1
    assert notified.state == WebhookState.FAILED
    assert notified.last_reply == "500 Internal Server Error"


def make_calls_due() -> None:
    """Makes every call due and ends the pause of every endpoint."""
    WebhookCall.objects.update(next_attempt_at=clock.now())
    WebhookBackoff.objects.update(down_until=None)


def waiting_calls(endpoint_id: object, count: int) -> None:
    WebhookCall.objects.bulk_create(
        WebhookCall(
            endpoint_id=endpoint_id,
            source=f"trace:{number}",
            event="message.delivered",
            payload={},
            next_attempt_at=clock.now() - timedelta(hours=1),
        )
        for number in range(count)
    )


def test_silent_endpoints_hold_up_no_other(
    call: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(14):
        silent = create_endpoint(call, url=f"https://silent{number}.example/hook")
        waiting_calls(silent["id"], 200)
    well = create_endpoint(call, url=URL)
    waiting_calls(well["id"], 3)
    asked = []

    def passed() -> float:
        """Seconds that silent endpoints took so far, however fast this machine is."""
        silent = sum(url != URL for url in asked)
        return silent * http_client.SECONDS / delivery.CONCURRENCY

    monkeypatch.setattr(delivery, "time", SimpleNamespace(monotonic=passed))

    def post(url: str, body: bytes, headers: Mapping[str, str]) -> str:
        asked.append(url)
        if url == URL:
            return "204 No Content"
        raise NotAccepted("No answer: TimeoutError")

    assert delivery.deliver(post) == 3
    # The next run knows, too, which endpoints do not respond.
    assert delivery.deliver(post) == 0
    assert len(asked) == 14 + 3


def test_an_endpoint_that_answers_again_hears_all_that_waited(
    call: Api, listener: Listener
) -> None:
    waiting_calls(create_endpoint(call)["id"], 20)
    listener.error = NotAccepted("503 Service Unavailable")
    for _ in range(3):
        delivery.deliver(listener)
    assert len(listener.calls) == 1
    WebhookBackoff.objects.update(down_until=clock.now())
    listener.error = None

    assert delivery.deliver(listener) == 19


def test_calls_that_waited_as_long_as_their_endpoint_was_silent_are_given_up(
    call: Api, listener: Listener
) -> None:
    waiting_calls(create_endpoint(call)["id"], 20)
    listener.error = NotAccepted("No answer: TimeoutError")
    delivery.deliver(listener)
    ago = clock.now() - delivery.RETRY_PERIOD - timedelta(hours=1)
    WebhookBackoff.objects.update(down_until=None, down_since=ago)
    WebhookCall.objects.filter(attempts=0).update(next_attempt_at=ago)
    delivery.deliver(listener)

    assert WebhookCall.objects.filter(state=WebhookState.FAILED).count() == 18
    assert len(listener.calls) == 2


def test_a_call_that_cannot_be_written_stops_no_other(
    call: Api, listener: Listener
) -> None:
    broken = create_endpoint(call, url="https://broken.example/hook")
    waiting_calls(broken["id"], 1)
    WebhookEndpoint.objects.update(sealed_secret="nothing that opens")
    waiting_calls(create_endpoint(call)["id"], 1)

    assert delivery.deliver(listener) == 1
    assert (
        "could not be made" in WebhookCall.objects.get(endpoint=broken["id"]).last_reply
    )


class PowerCut(BaseException):
    """Stands for the end of the process."""


def test_call_whose_answer_nobody_wrote_down_is_told_again_under_the_same_id(
    call: Api,
    listener: Listener,
    bob: Person,
    charlie: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    create_endpoint(call)
    send(call, bob, charlie)
    enqueue_new_events()

    def die(*_: object) -> None:
        raise PowerCut

    with monkeypatch.context() as dying, pytest.raises(PowerCut):
        dying.setattr(delivery, "_update", die)
        delivery.deliver(listener)
    assert delivery.deliver(listener) == 0  # its next attempt had been recorded first
    make_calls_due()
    assert delivery.deliver(listener) == 1

    first, second = listener.calls
    assert first[0] == second[0]
    assert first[1]["webhook-id"] == second[1]["webhook-id"]
    assert delivery.deliver(listener) == 0


def test_call_put_off_while_a_clock_ran_ahead_is_told_when_it_is_right_again(
    call: Api, listener: Listener, bob: Person, charlie: Person
) -> None:
    create_endpoint(call)
    send(call, bob, charlie)
    enqueue_new_events()
    WebhookCall.objects.update(next_attempt_at=clock.now() + timedelta(days=400))

    assert delivery.deliver(listener) == 1


def test_call_is_told_again_on_request(
    key: Key, call: Api, listener: Listener, bob: Person, charlie: Person
) -> None:
    made = create_endpoint(call)
    send(call, bob, charlie)
    enqueue_new_events()
    delivery.deliver(listener)
    at = f"/webhooks/{made['id']}/calls/"
    notified = call("GET", at).json()["results"][0]

    again = call("POST", f"{at}{notified['id']}/replay/").json()
    delivery.deliver(listener)

    assert (notified["state"], again["state"]) == ("delivered", "waiting")
    assert len(listener.calls) == 2
    assert key(charlie.organisation)("GET", at).status_code == 404


def test_endpoint_that_is_gone_is_told_no_more(
    call: Api, listener: Listener, bob: Person, charlie: Person
) -> None:
    create_endpoint(call)
    send(call, bob, charlie)
    enqueue_new_events()
    listener.error = Gone("410 Gone")

    delivery.deliver(listener)

    assert not WebhookEndpoint.objects.get().is_active


def test_both_secrets_sign_while_one_takes_over(
    call: Api, listener: Listener, bob: Person, charlie: Person
) -> None:
    made = create_endpoint(call)
    new = call("POST", f"/webhooks/{made['id']}/rotate/").json()["secret"]
    send(call, bob, charlie)
    enqueue_new_events()
    delivery.deliver(listener)

    [(body, headers)] = listener.calls
    for secret in (str(made["secret"]), new):
        assert Webhook(secret).verify(body, dict(headers))


def test_secret_is_shown_when_it_is_made_only(call: Api) -> None:
    made = create_endpoint(call)

    assert "secret" not in call("GET", f"/webhooks/{made['id']}/").json()


@pytest.mark.parametrize(
    "url",
    [
        "http://cases.example/",
        "https://",
        "https://user:pw@cases.example/",
        "file:///etc/passwd",
        "https://cases.example:99999/",
        "https://cases.example/\r\nX: y",
        "http://127.0.0.1/",
        "https://10.0.0.1/hook",
        "https://127.0.0.1/",
        "https://127.0.0.1./",
        "https://169.254.169.254/latest/",
        "https://192.0.2.1/",
        "https://[::1]/",
        "https://[fd00::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        # Resolvers accept these as IPv4 addresses too
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        # Names that do not exist in public DNS
        "https://localhost/",
        "https://intranet/",
        "https://cases.localhost/",
        "https://cases.local/",
        "https://cases.INTERNAL./",
        "https://printer.home.arpa/",
    ],
)
def test_address_that_no_webhook_may_go_to_is_refused(call: Api, url: str) -> None:
    made = call("POST", "/webhooks/", {"url": url, "events": ["message.failed"]})

    assert made.status_code in (400, 409)
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize("url", ["https://8.8.8.8/", "https://[2a00:1450::1]:8443/"])
def test_a_public_address_may_be_a_webhook(call: Api, url: str) -> None:
    made = call("POST", "/webhooks/", {"url": url, "events": ["message.failed"]})

    assert made.status_code == 201


def test_a_private_address_is_refused_when_an_endpoint_is_changed_too(
    call: Api,
) -> None:
    made = create_endpoint(call)

    changed = call("PATCH", f"/webhooks/{made['id']}/", {"url": "https://10.0.0.1/"})

    assert changed.status_code in (400, 409)
    assert WebhookEndpoint.objects.get().url == URL


@pytest.mark.parametrize("name", ["intern.cases.example", "cases.example"])
def test_what_a_name_stands_for_is_looked_at_when_it_is_dialled(
    name: str, name_server: NameServer
) -> None:
    name_server.add(name, "A", "10.0.0.1")

    with pytest.raises(NotAccepted, match="no public address that we may dial"):
        http_client.post(f"https://{name}/", b"{}", {})


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]"]
)
def test_our_own_network_is_not_dialled(host: str) -> None:
    with pytest.raises(NotAccepted, match="not on the internet"):
        http_client.post(f"https://{host}/", b"{}", {})


class Redirects(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status = int(self.path.strip("/"))
        self.send_response(status)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(settings.POSTERN, "probe_private_addresses", True)
    with HTTPServer(("127.0.0.1", 0), Redirects) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


def test_answer_of_an_endpoint_is_believed_and_not_followed(server: str) -> None:
    assert http_client.post(f"{server}/204", b"{}", {}) == "204 No Content"
    with pytest.raises(NotAccepted, match="302 Found"):
        http_client.post(f"{server}/302", b"{}", {})
    with pytest.raises(Gone):
        http_client.post(f"{server}/410", b"{}", {})


@pytest.mark.parametrize("begins", [b"", b"HTTP/1.1 200 OK\r\nX: "])
def test_an_endpoint_that_drips_is_cut_off(
    begins: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.POSTERN, "probe_private_addresses", True)
    monkeypatch.setattr(http_client, "SECONDS", 0.5)

    def send_slowly() -> None:
        dialled, _ = listening.accept()
        with dialled, suppress(OSError):
            dialled.sendall(begins)
            while not is_over.wait(0.1):
                dialled.sendall(b"x")

    is_over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=send_slowly)
        thread.start()
        began = time.monotonic()
        with pytest.raises(NotAccepted, match="No answer: TimeoutError"):
            http_client.post(
                f"http://127.0.0.1:{listening.getsockname()[1]}/", b"{}", {}
            )
        assert time.monotonic() - began < 3
        is_over.set()
        thread.join()


def test_nobody_at_home_is_not_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.POSTERN, "probe_private_addresses", True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    with pytest.raises(NotAccepted, match="No answer"):
        http_client.post(f"http://127.0.0.1:{port}/", b"{}", {})
