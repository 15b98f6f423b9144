"""Who opens the files behind a link, how they prove it, and what is recorded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import timedelta

import pytest
from django.db import connection
from django.http import FileResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_q.models import OrmQ

from engine.antivirus.scanners import message_scan
from engine.antivirus.verdict import Verdict
from engine.audit.models import Entry
from engine.blobs import store
from engine.blobs.interface import Kind
from engine.database import clock
from engine.incidents import (
    key_index,
    message_keys,
    rescans,
    search,
    withdrawals,
)
from engine.incidents.models import RescanState, Withdrawal
from engine.linked_files import ending, proofs
from engine.linked_files import tasks as jobs
from engine.linked_files.models import AddressProof, End, LinkedFile
from engine.queue import mailbox_withdrawals
from engine.queue import recall as recalls
from engine.queue.delivery_status import one_message
from engine.queue.mailbox_withdrawals import Cause
from engine.queue.models import QueuedMessage, Source
from engine.registry.models import Mailbox, Organisation, Person, RoleName
from engine.storage import content, message_actions
from engine.storage.models import (
    FolderRole,
    Message,
    WithdrawalKind,
    WithdrawnCopy,
)
from engine.trace import event_log
from engine.trace.models import Event, EventKind
from portal.webmail.linked_files import public_views
from tests import factories
from tests.jobs import run_queued
from tests.portal.conftest import SignIn, sign_in
from tests.portal.webmail.compose_page import CHARLIE, JANE, ComposePage, messages_in
from tests.portal.webmail.linked_files.conftest import FILE, send_linked, upload

pytestmark = pytest.mark.usefixtures("firm_connection", "charlie")


@pytest.fixture
def stranger() -> Client:
    """Somebody without an account."""
    return Client()


@pytest.fixture
def file(as_bob: Client, compose_page: ComposePage) -> LinkedFile:
    """A file that Bob sent to Charlie, and to Jane at her own server, as a link."""
    sent = send_linked(as_bob, compose_page, f"{CHARLIE}, {JANE}")
    relayed(sent.reference, JANE)
    return sent


def relayed(reference: str, address: str) -> None:
    event_log.save([event_log.event(reference, EventKind.RELAYED, address)])


def url(file: LinkedFile, name: str = "show") -> str:
    return reverse(f"linked_files:{name}", args=[file.secret])


def opens(client: Client, file: LinkedFile) -> bool:
    """Whether a visitor sees the files and gets the content; both, or neither."""
    page = client.get(url(file))
    answer = client.get(url(file, "download"))
    sees = page.status_code == 200 and "Bundle.pdf" in page.content.decode()
    gets = answer.status_code == 200 and read(answer) == FILE
    assert sees == gets
    if not sees:
        shown = page.content.decode()
        assert "Bundle.pdf" not in shown
        assert "bob@" not in shown
        assert file.reference not in shown
    return sees


def read(answer: FileResponse) -> bytes:
    return b"".join(answer.streaming_content)


def kinds(reference: str) -> list[str]:
    of_links = ("downloaded", "link_refused", "link_ended")
    events = Event.objects.filter(reference=reference, kind__in=of_links)
    return list(events.order_by("pk").values_list("kind", flat=True))


def code_to(address: str) -> str:
    """Returns the code in the latest notice to an address."""
    notices = QueuedMessage.objects.filter(source=Source.SYSTEM)
    queued = notices.filter(recipients__address=address).latest("pk")
    found = re.search(rb"Your code is ([0-9]{4} [0-9]{4})", content.read(queued))
    assert found is not None
    return found[1].decode()


def ask(client: Client, file: LinkedFile, address: str) -> str:
    answer = client.post(url(file, "ask_for_code"), {"address": address}, follow=True)
    run_queued()
    return re.sub(r'(nonce|value|secret)="[^"]*"', "", answer.content.decode())


def enter(client: Client, file: LinkedFile, code: str) -> str:
    answer = client.post(url(file, "code"), {"code": code}, follow=True)
    return answer.content.decode()


def test_a_recipient_downloads_it_and_it_is_on_record(
    file: LinkedFile, charlie: Person
) -> None:
    as_charlie = sign_in(Client(), charlie, second_factor=True)
    page = as_charlie.get(url(file)).content.decode()
    assert f"Sent by bob@northfield.secure.example to {CHARLIE}" in page
    assert "No virus found" in page
    assert as_charlie.head(url(file, "download")).status_code == 405
    assert not kinds(file.reference)

    answer = as_charlie.get(url(file, "download"))

    assert read(answer) == FILE
    assert answer["Content-Disposition"] == 'attachment; filename="Bundle.pdf"'
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Length"] == str(len(FILE))
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "no-store" in answer["Cache-Control"]
    [event] = Event.objects.filter(kind=EventKind.DOWNLOADED)
    assert (event.reference, event.recipient) == (file.reference, CHARLIE)
    entry = Entry.objects.get(event="linked_file.downloaded")
    assert entry.detail["recipient"] == CHARLIE
    story = one_message.story(file.reference)
    [of_charlie] = [one for one in story.recipients if one.recipient == CHARLIE]
    assert of_charlie.steps[-1].text == "Downloaded a file that was sent as a link"
    assert of_charlie.outcome.text == "Delivered to the mailbox"


def test_only_the_recipients_and_the_author_open_it(
    as_bob: Client,
    compose_page: ComposePage,
    team: Mailbox,
    alice: Person,
    bob: Person,
    charlie: Person,
    harbour: Organisation,
    olive: Person,
    signed_in: SignIn,
) -> None:
    reader = factories.make_person("rita@northfield.secure.example", team.organisation)
    writer = factories.make_person("wim@northfield.secure.example", team.organisation)
    of_list = factories.make_person("liz@harbour.secure.example", harbour)
    for one in (reader, writer, of_list):
        factories.make_mailbox(one)
    factories.make_grant(team, reader, can_read=True)
    factories.make_grant(team, writer, can_read=False, can_send=True)
    file = send_linked(as_bob, compose_page, team.address)
    event_log.save(
        [
            event_log.event(
                file.reference, EventKind.EXPANDED, "list@x", sent_on_as="OFLIST"
            ),
            event_log.event(
                "OFLIST",
                EventKind.DELIVERED,
                of_list.address,
                mailbox=of_list.mailbox.pk,
                message=10**9,
            ),
        ]
    )

    expected = {
        bob: True,
        reader: True,
        of_list: True,
        alice: False,
        writer: False,
        charlie: False,
        olive: False,
    }
    for person, may in expected.items():
        visitor = sign_in(Client(), person, second_factor=True)
        assert opens(visitor, file) is may, person.address
    assert not opens(Client(), file)
    refused = Event.objects.filter(kind=EventKind.LINK_REFUSED)
    to = {one.detail["refused_to"] for one in refused}
    assert to == {alice.address, writer.address, charlie.address}
    assert refused.count() == 3
    downloads = Event.objects.filter(kind=EventKind.DOWNLOADED).order_by("pk")
    assert [one.recipient for one in downloads] == [team.address, of_list.address]
    assert downloads[1].reference == "OFLIST"
    factories.make_grant(team, alice, can_read=True)
    assert opens(sign_in(Client(), alice, second_factor=True), file)


def test_a_file_is_the_mailboxs_that_sent_it(
    as_bob: Client,
    compose_page: ComposePage,
    team: Mailbox,
    alice: Person,
    bob: Person,
    charlie: Person,
    stranger: Client,
) -> None:
    factories.make_grant(team, bob, can_read=True, can_send=True)
    factories.make_grant(team, alice, can_read=True)
    file = send_linked(as_bob, compose_page, f"{CHARLIE}, {JANE}", sender=str(team.pk))
    relayed(file.reference, JANE)

    page = sign_in(Client(), charlie, second_factor=True).get(url(file))
    assert f"Sent by {team.address} to" in page.content.decode()
    assert bob.address not in page.content.decode()
    page = sign_in(Client(), alice, second_factor=True).get(url(file))
    assert f"as their sender, {team.address}" in page.content.decode()
    ask(stranger, file, JANE)
    notice = QueuedMessage.objects.filter(source=Source.SYSTEM).latest("pk")
    assert team.address.encode() in content.read(notice)


def test_a_recipient_elsewhere_proves_the_address_by_a_code(
    file: LinkedFile, stranger: Client
) -> None:
    assert not opens(stranger, file)
    page = ask(stranger, file, "jane@firm.example")
    assert "we have sent a code to it" in page
    code = code_to(JANE)
    other = Client()
    ask(other, file, "someone@firm.example")
    assert "That code is not right" in enter(other, file, code)

    page = enter(stranger, file, code)

    assert "Bundle.pdf" in page
    assert f"to {JANE}" in page
    assert opens(stranger, file)
    assert not opens(other, file)
    entry = Entry.objects.filter(event="linked_file.downloaded").latest("pk")
    assert entry.detail["recipient"] == JANE
    assert not AddressProof.objects.filter(address="jane@firm.example").exists()
    other.session.flush()
    ask(other, file, JANE)
    assert "That code is not right" in enter(other, file, code)


def test_every_address_is_answered_alike(file: LinkedFile, charlie: Person) -> None:
    answers = set()
    for address in (
        JANE,
        "john@firm.example",
        CHARLIE,
        "nobody@nowhere.example",
        "not an address",
    ):
        visitor = Client()
        before = QueuedMessage.objects.count()
        answers.add(ask(visitor, file, address))
        sent = QueuedMessage.objects.count() - before
        assert sent == (1 if address == JANE else 0), address
        assert "That code is not right" in enter(visitor, file, "0000 0000")
    assert len(answers) == 1
    refused = Event.objects.filter(kind=EventKind.LINK_REFUSED)
    assert refused.count() == 4
    assert AddressProof.objects.count() == 5


def test_a_code_ends_after_some_attempts_and_some_minutes(
    file: LinkedFile, stranger: Client
) -> None:
    ask(stranger, file, JANE)
    for _ in range(proofs.ATTEMPTS):
        enter(stranger, file, "1234 5678")
    assert "That code is not right" in enter(stranger, file, code_to(JANE))
    ask(stranger, file, JANE)
    AddressProof.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert "That code is not right" in enter(stranger, file, code_to(JANE))
    AddressProof.objects.update(expires_at=clock.now() - timedelta(days=2))
    jobs.let_go()
    assert not AddressProof.objects.exists()


def test_asking_for_codes_is_limited(
    file: LinkedFile, stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address in (JANE, "nobody@nowhere.example"):
        for _ in range(public_views.TO_ADDRESS):
            ask(stranger, file, address)
        answer = stranger.post(url(file, "ask_for_code"), {"address": address})
        assert answer.status_code == 429
    monkeypatch.setattr(public_views, "TRIES", 1)
    enter(stranger, file, "1")
    assert stranger.post(url(file, "code"), {"code": "1"}).status_code == 429
    monkeypatch.setattr(public_views, "OF_LINK", 1)
    other = Client(REMOTE_ADDR="192.0.2.7")
    answer = other.post(url(file, "ask_for_code"), {"address": "a@b.example"})
    assert answer.status_code == 429
    assert not OrmQ.objects.exists()


def expire(file: LinkedFile) -> None:
    LinkedFile.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert Client().get(url(file)).status_code == 410
    jobs.let_go()


def recall(file: LinkedFile) -> None:
    sent = Message.objects.get(reference=file.reference, folder__role=FolderRole.SENT)
    recalls.recall(sent, by=file.person)
    assert not opens(sign_in(Client(), charlie_of(file), second_factor=True), file)
    jobs.let_go()


def charlie_of(file: LinkedFile) -> Person:
    return Person.objects.get(address=CHARLIE)


def stop(file: LinkedFile) -> None:
    as_author = sign_in(Client(), file.person)
    ended = reverse("webmail:stop_linked_file", args=[file.pk])
    assert "Stop sharing Bundle.pdf?" in as_author.get(ended).content.decode()
    page = as_author.post(ended, follow=True).content.decode()
    assert "can no longer be downloaded" in page


@pytest.mark.parametrize(
    ("act", "why"),
    [(expire, End.EXPIRED), (recall, End.RECALLED), (stop, End.STOPPED)],
    ids=["expired", "recalled", "stopped"],
)
def test_an_ended_file_is_deleted_and_its_page_says_so(
    file: LinkedFile,
    charlie: Person,
    act: Callable[[LinkedFile], None],
    why: End,
    django_capture_on_commit_callbacks,
) -> None:
    key = file.content.blob_key

    with django_capture_on_commit_callbacks(execute=True):
        act(file)

    file.refresh_from_db()
    assert file.end == why
    assert not store.exists(Kind.BODY, key)
    for visitor in (Client(), sign_in(Client(), charlie, second_factor=True)):
        for page in ("show", "download", "code"):
            answer = visitor.get(url(file, page))
            assert answer.status_code == 410
            assert "ask the person who sent you the link" in answer.content.decode()
    assert kinds(file.reference)[-1] == "link_ended"
    assert Entry.objects.get(event="linked_file.ended").detail["why"] == why
    story = one_message.story(file.reference)
    assert "can no longer be downloaded: " in story.message_steps[-1].text
    assert not ending.end(file, End.EXPIRED, by=None)
    LinkedFile.objects.update(ended_at=clock.now() - timedelta(days=4000))
    jobs.let_go()
    assert Client().get(url(file)).status_code == 404


def test_an_operators_withdrawal_closes_it_until_it_is_put_back(
    file: LinkedFile, stranger: Client, charlie: Person, olive: Person
) -> None:
    as_charlie = sign_in(Client(), charlie, second_factor=True)
    ask(stranger, file, JANE)
    enter(stranger, file, code_to(JANE))
    assert opens(as_charlie, file)
    assert opens(stranger, file)
    [copy] = messages_in(charlie.mailbox, FolderRole.INBOX)

    mailbox_withdrawals.withdraw(
        [copy.pk], Cause(kind=WithdrawalKind.OPERATOR, by=olive, reason="Wrong")
    )
    assert not opens(as_charlie, file)
    assert not opens(stranger, file)
    mailbox_withdrawals.put_back([copy.pk], by=olive)

    assert opens(as_charlie, file)
    assert opens(stranger, file)


def test_a_withdrawn_message_has_closed_links_whatever_copies_there_are(
    file: LinkedFile,
    stranger: Client,
    charlie: Person,
    olive: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(key_index, "LAG", timedelta(0))
    operators = [factories.make_person(f"{name}@secure.example") for name in "xy"]
    for one in operators:
        factories.make_staff(one, RoleName.OPERATOR)
    as_charlie = sign_in(Client(), charlie, second_factor=True)
    ask(stranger, file, JANE)
    enter(stranger, file, code_to(JANE))
    [copy] = messages_in(charlie.mailbox, FolderRole.INBOX)
    # Read, and deleted for good: no copy is left.
    message_actions.erase([copy.pk])
    assert opens(as_charlie, file) and opens(stranger, file)
    day = timedelta(days=1)
    key_index.index_new()
    wanted = search.criteria(
        {message_keys.Kind.SUBJECT: "about it"},
        since=clock.now() - day,
        until=clock.now() + day,
    )

    def approve(asked: Withdrawal) -> None:
        for one in operators:
            withdrawals.agree(asked, by=one)
        run_queued()

    withdrawal = withdrawals.ask(wanted, reason="Wrong", by=olive)
    approve(withdrawal)
    WithdrawnCopy.objects.all().delete()  # after their time
    assert not opens(as_charlie, file)
    assert not opens(stranger, file)
    approve(withdrawals.ask_to_put_back(withdrawal, reason="Right", by=olive))

    assert opens(as_charlie, file)
    assert opens(stranger, file)


def test_a_rescan_ends_what_newer_signatures_find_infected(
    file: LinkedFile,
    charlie: Person,
    bob: Person,
    olive: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    as_charlie = sign_in(Client(), charlie, second_factor=True)
    clean = message_scan.scan_file

    def scan(chunks: Iterable[bytes]) -> Verdict:
        data = b"".join(chunks)
        bad = Verdict.of("Worm.Test", scanner="clamd")
        return bad if data == FILE else clean([data])

    assert opens(as_charlie, file)
    rescans.start(days=1, by=olive)
    run_queued()
    assert opens(as_charlie, file)
    monkeypatch.setattr(message_scan, "scan_file", scan)
    rescan = rescans.start(days=1, by=olive)

    run_queued()

    rescan.refresh_from_db()
    assert (rescan.state, rescan.infected) == (RescanState.DONE, 1)
    assert as_charlie.get(url(file)).status_code == 410
    file.refresh_from_db()
    assert (file.end, file.content) == (End.INFECTED, None)
    assert kinds(file.reference)[-1] == "link_ended"
    assert Entry.objects.get(event="linked_file.ended").detail["why"] == "infected"
    notices = QueuedMessage.objects.filter(source=Source.SYSTEM)
    notice = notices.filter(recipients__address=bob.address).latest("pk")
    assert b"Worm.Test in Bundle.pdf" in content.read(notice)


def test_others_of_the_sending_mailbox_and_operators_stop_sharing(
    as_bob: Client,
    compose_page: ComposePage,
    team: Mailbox,
    alice: Person,
    bob: Person,
    charlie: Person,
    olive: Person,
    hugh: Person,
) -> None:
    factories.make_grant(team, bob, can_read=True, can_send=True)
    grant = factories.make_grant(team, alice, can_read=True)
    file = send_linked(as_bob, compose_page, CHARLIE, sender=str(team.pk))
    listed = reverse("webmail:own_linked_files")
    stopped = reverse("webmail:stop_linked_file", args=[file.pk])
    as_alice = sign_in(Client(), alice, second_factor=True)
    assert "Bundle.pdf" not in as_alice.get(listed).content.decode()
    assert as_alice.post(stopped).status_code == 404
    grant.can_write = True
    grant.save()
    page = as_alice.get(listed).content.decode()
    assert "Bundle.pdf" in page
    assert f", by {bob.name}" in page
    assert as_alice.post(stopped).status_code == 302
    file.refresh_from_db()
    assert file.end == End.STOPPED

    send_linked(as_bob, ComposePage(bob.mailbox), CHARLIE, upload("Annex.pdf"))
    again = LinkedFile.objects.live().get()
    story = reverse("console:story", args=[again.reference])
    stop_all = reverse("console:links_stop", args=[again.reference])
    as_agent = sign_in(Client(), hugh, second_factor=True)
    assert "1 file of this message" in as_agent.get(story).content.decode()
    assert "Stop sharing" not in as_agent.get(story).content.decode()
    assert as_agent.post(stop_all, {"reason": "x"}).status_code == 403
    as_operator = sign_in(Client(), olive, second_factor=True)
    assert stop_all in as_operator.get(story).content.decode()
    as_operator.post(stop_all, {"reason": "It is phishing"})
    again.refresh_from_db()
    assert again.end == End.WITHDRAWN
    entry = Entry.objects.filter(event="linked_file.ended").latest("pk")
    assert entry.detail["reason"] == "It is phishing"
    assert as_operator.get(stop_all).status_code == 404
    page = as_operator.get(story).content.decode()
    assert "an operator of the service stopped sharing it" in page


def test_the_author_sees_own_files_alone_with_their_downloads(
    file: LinkedFile, as_bob: Client, charlie: Person
) -> None:
    as_charlie = sign_in(Client(), charlie, second_factor=True)
    for _ in range(7):
        read(as_charlie.get(url(file, "download")))
    listed = reverse("webmail:own_linked_files")
    stopped = reverse("webmail:stop_linked_file", args=[file.pk])

    page = as_bob.get(listed).content.decode()

    assert "of their members are not shown" in page
    assert page.replace("<wbr>", "").count(CHARLIE) == 5
    assert "and 2 more" in page
    assert "Bundle.pdf" in page
    assert "About it" in page
    assert CHARLIE in page.replace("<wbr>", "")
    assert "You have sent no files" in as_charlie.get(listed).content.decode()
    assert as_charlie.get(stopped).status_code == 404
    assert as_charlie.post(stopped).status_code == 404
    assert as_bob.post(stopped).status_code == 302
    assert as_bob.post(stopped).status_code == 404


def test_pages_ask_the_database_as_often_for_many_files_as_for_one(
    as_bob: Client, compose_page: ComposePage, charlie: Person
) -> None:
    counted = []
    as_charlie = sign_in(Client(), charlie, second_factor=True)
    for names in (["One.pdf"], ["Two.pdf", "Three.pdf", "Four.pdf"]):
        page = ComposePage(compose_page.mailbox)
        send_linked(as_bob, page, CHARLIE, *map(upload, names))
        file = LinkedFile.objects.get(name=names[0])
        as_charlie.get(url(file))
        as_bob.get(reverse("webmail:own_linked_files"))
        with CaptureQueriesContext(connection) as shown:
            as_charlie.get(url(file))
        with CaptureQueriesContext(connection) as own:
            as_bob.get(reverse("webmail:own_linked_files"))
        counted.append((len(shown), len(own)))
    assert counted[0] == counted[1]
    assert counted[0][0] <= 11
    assert counted[0][1] <= 12
