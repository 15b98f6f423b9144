"""Files that are added to a draft to be sent as links, and the message that carries them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from engine.antivirus.models import QuarantinedMessage
from engine.audit.models import Entry
from engine.blobs import store
from engine.blobs.interface import Kind
from engine.database import clock
from engine.linked_files import downloads, sending
from engine.linked_files import tasks as jobs
from engine.linked_files.models import End, LinkedFile, ScanState
from engine.linked_files.upload import examining
from engine.queue.enqueue import mailbox_submission
from engine.queue.preflight import message_size
from engine.registry.models import Person
from engine.storage.models import Content, FolderRole, Message
from engine.trace.models import Event
from portal.middleware.body_limit import BodyLimitMiddleware
from portal.webmail import tasks
from portal.webmail.linked_files import lines
from portal.webmail.models import ScheduledSend, WritingPreferences
from tests import encryption
from tests.engine.antivirus import pdfs
from tests.fakes import RecordingClamd
from tests.portal.conftest import SignIn
from tests.portal.webmail.compose_page import (
    CHARLIE,
    KNOWN,
    ComposePage,
    messages_in,
    only_message_in,
    parsed_of,
)
from tests.portal.webmail.linked_files.conftest import FILE, link, send_linked, upload

pytestmark = pytest.mark.usefixtures("charlie")

SHOWN = re.compile(r'name="linked" value="([0-9]+)"')
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def limited(settings, **over: object) -> None:
    settings.POSTERN = settings.POSTERN.model_copy(update=over)


def test_a_file_too_large_for_a_message_is_sent_as_a_link(
    as_bob: Client, bob: Person, charlie: Person, compose_page: ComposePage, settings
) -> None:
    limited(settings, message_size_limit=1000)
    assert len(FILE) > message_size.files_limit()
    refused = compose_page.post(as_bob, "attach", attachments=[upload()])
    assert "carries at most" in refused.content.decode()

    asked = compose_page.post(as_bob, "link", text="Typed before")
    page = asked.content.decode()
    assert "Up to 200.0\xa0MB for each file" in page
    assert "until 30 days after you send" in page
    written = link(as_bob, compose_page)
    assert "Typed before" in written
    assert "Bundle.pdf" in written
    assert "Sent as a link. No virus found" in written
    limited(settings, message_size_limit=50_000)

    file = send_linked(as_bob, compose_page, CHARLIE, upload("Annex.pdf"))

    _, received = only_message_in(charlie.mailbox, FolderRole.INBOX)
    text = received.own_text()
    assert text.startswith("Here it is.\n\n" + lines.HEADING)
    assert "Bundle.pdf (1.8\xa0KB, until " in text
    for one in LinkedFile.objects.all():
        assert f"{settings.POSTERN.site_url}/files/{one.secret}/" in text
        assert len(one.secret) >= 43
    assert not received.attachments
    sent, _ = only_message_in(bob.mailbox, FolderRole.SENT)
    assert file.reference == sent.reference
    assert file.expires_at is not None
    assert timedelta(29) < file.expires_at - clock.now() <= timedelta(30, hours=2)
    assert not messages_in(bob.mailbox, FolderRole.DRAFTS)


def test_formatted_text_has_the_links_above_its_signature(
    as_bob: Client, charlie: Person, compose_page: ComposePage
) -> None:
    html = '<div>Dear <b>all</b></div><div data-signature="1"><div>Bob</div></div>'
    file = send_linked(as_bob, compose_page, CHARLIE, html=html)

    _, received = only_message_in(charlie.mailbox, FolderRole.INBOX)

    address = f"/files/{file.secret}/"
    at = [received.html.index(one) for one in ("<b>all", address, 'data-signature="1"')]
    assert at == sorted(at)
    assert address in received.own_text()


@pytest.mark.parametrize("html", ["", "<div>Here it <b>is</b>.</div>"])
def test_a_message_taken_back_has_its_files_and_no_links_in_its_text(
    as_bob: Client, bob: Person, compose_page: ComposePage, html: str
) -> None:
    WritingPreferences.objects.filter(person=bob).update(undo_seconds=30)
    file = send_linked(as_bob, compose_page, CHARLIE, html=html)
    scheduled = ScheduledSend.objects.get()

    page = as_bob.post(
        reverse("webmail:undo_send", args=[scheduled.pk]), follow=True
    ).content.decode()

    assert "Here it" in page
    assert "Bundle.pdf" in page
    assert lines.HEADING not in page
    assert file.secret not in page
    file.refresh_from_db()
    assert not file.is_sent
    page = compose_page.post(
        as_bob, "send", to=CHARLIE, text="Again", confirmed=KNOWN, linked=file.pk
    )
    file.refresh_from_db()
    assert file.is_sent


def test_a_file_that_the_page_did_not_show_is_not_sent_unasked(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    link(as_bob, compose_page)
    [shown] = SHOWN.findall(compose_page.page(as_bob))
    # An upload that was cancelled while it was being scanned.
    as_bob.post(f"{compose_page.url}links/add/", {"attachments": [upload("Wrong.pdf")]})
    typed = {"to": CHARLIE, "text": "Here", "linked": shown}

    page = compose_page.post(as_bob, "send", **typed).content.decode()

    assert "A file was added meanwhile: Wrong.pdf. Check" in page
    assert "added meanwhile: Bundle.pdf" not in page
    assert not messages_in(bob.mailbox, FolderRole.SENT)
    both = SHOWN.findall(page)
    compose_page.post(as_bob, f"unlink-{both[1]}", **typed)
    compose_page.post(as_bob, "send", **typed)
    [sent] = messages_in(bob.mailbox, FolderRole.SENT)
    assert "Wrong.pdf" not in parsed_of(sent).own_text()
    assert "Bundle.pdf" in parsed_of(sent).own_text()


def test_a_file_that_goes_while_its_message_is_scanned_stops_the_message(
    as_bob: Client,
    bob: Person,
    compose_page: ComposePage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    link(as_bob, compose_page)
    [shown] = SHOWN.findall(compose_page.page(as_bob))
    typed = {"to": CHARLIE, "text": "Here", "linked": shown}
    prepare = mailbox_submission.prepare

    def meanwhile(act: Callable[[], object]) -> str:
        def prepared(*args: object, **named: object) -> object:
            act()
            return prepare(*args, **named)

        monkeypatch.setattr(mailbox_submission, "prepare", prepared)
        return compose_page.post(as_bob, "send", **typed).content.decode()

    links = f"{compose_page.url}links/"
    more = {"attachments": [upload("More.pdf")]}
    for act in (
        lambda: Client.post(as_bob, f"{links}add/", more),
        lambda: Client.post(as_bob, f"{links}remove/", {"file": shown}),
    ):
        assert "changed meanwhile, so nothing was sent" in meanwhile(act)
        LinkedFile.objects.filter(name="More.pdf").delete()
    assert not messages_in(bob.mailbox, FolderRole.SENT)


def test_what_was_sent_is_not_removed_as_a_drafts(
    as_bob: Client, compose_page: ComposePage
) -> None:
    link(as_bob, compose_page)
    before = list(LinkedFile.objects.all())
    file = send_linked(as_bob, compose_page, CHARLIE, upload("Annex.pdf"))

    sending.delete(before)

    with downloads.open_content(file) as opened:
        assert opened.read() == FILE


def test_removing_a_file_or_its_draft_deletes_what_is_stored(
    as_bob: Client, compose_page: ComposePage
) -> None:
    link(as_bob, compose_page)
    [row] = LinkedFile.objects.all()
    key = row.content.blob_key
    assert store.exists(Kind.BODY, key)

    page = compose_page.post(as_bob, f"unlink-{row.pk}", text="Kept").content.decode()

    assert "Kept" in page
    assert "Bundle.pdf" not in page
    assert not LinkedFile.objects.exists()
    assert not Content.objects.filter(blob_key=key).exists()
    added = as_bob.post(f"{compose_page.url}links/add/", {"attachments": [upload()]})
    assert "Bundle.pdf" in added.content.decode()
    row = LinkedFile.objects.get()
    removed = as_bob.post(f"{compose_page.url}links/remove/", {"file": row.pk})
    assert "Bundle.pdf" not in removed.content.decode()
    link(as_bob, compose_page)
    compose_page.post(as_bob, "discard")
    Message.objects.all().delete()
    tasks.sweep_files()
    assert LinkedFile.objects.exists()
    LinkedFile.objects.update(added_at=clock.now() - timedelta(days=3))
    tasks.sweep_files()
    assert not LinkedFile.objects.exists()


def test_a_drafts_file_is_listed_and_ends_where_it_is_not_sent(
    as_bob: Client, compose_page: ComposePage
) -> None:
    listed = reverse("webmail:own_linked_files")
    link(as_bob, compose_page)
    [shown] = SHOWN.findall(compose_page.page(as_bob))

    page = as_bob.get(listed).content.decode()
    assert "Bundle.pdf" in page
    assert "Not sent yet" in page
    assert compose_page.url in page
    jobs.let_go()
    assert LinkedFile.objects.live().exists()
    LinkedFile.objects.update(added_at=clock.now() - timedelta(days=31))
    jobs.let_go()

    row = LinkedFile.objects.get()
    assert (row.end, row.content) == (End.EXPIRED, None)
    assert not Event.objects.filter(reference="").exists()
    typed = {"to": CHARLIE, "text": "Here", "linked": shown}
    page = compose_page.post(as_bob, "send", **typed).content.decode()
    assert "Bundle.pdf cannot be sent any more. Remove it" in page
    assert "Expired: cannot be sent, so remove it" in page
    page = compose_page.post(as_bob, f"unlink-{shown}", **typed).content.decode()
    assert "Bundle.pdf" not in page
    page = compose_page.post(as_bob, "send", **typed).content.decode()
    assert "was removed meanwhile" in page
    link(as_bob, compose_page)
    stopped = reverse("webmail:stop_linked_file", args=[LinkedFile.objects.get().pk])
    page = as_bob.get(stopped).content.decode()
    assert "Delete Bundle.pdf?" in page
    assert "until it is removed from it" in page
    as_bob.post(stopped)
    assert LinkedFile.objects.get().end == End.STOPPED


def test_a_draft_that_two_windows_write_on_is_forked_with_its_files(
    as_bob: Client, compose_page: ComposePage
) -> None:
    link(as_bob, compose_page)
    as_bob.post(f"{compose_page.url}save/", {"text": "One", "version": ""})

    answer = as_bob.post(
        f"{compose_page.url}save/", {"text": "Two", "version": "", "window": "b"}
    ).json()

    assert "Bundle.pdf" in answer["forked"]["links"]
    first, second = LinkedFile.objects.order_by("pk")
    assert second.token != first.token
    assert second.secret != first.secret
    assert second.content.blob_key == first.content.blob_key
    sending.remove_all(first.mailbox, first.token)
    with downloads.open_content(second) as opened:
        assert opened.read() == FILE


def test_limits_are_kept_for_each_file_person_and_organisation(
    as_bob: Client, compose_page: ComposePage, settings
) -> None:
    limited(settings, linked_file_limit=len(FILE) - 1)
    page = link(as_bob, compose_page)
    assert "Bundle.pdf was not added: a file that is sent as a link has at most" in page
    assert "govuk-error-summary" in page
    limited(settings, linked_file_limit=5000, linked_files_of_person=len(FILE) + 10)
    link(as_bob, compose_page)
    assert LinkedFile.objects.count() == 1
    page = link(as_bob, compose_page, upload("Second.pdf"))
    assert "Second.pdf was not added" in page
    assert "10\xa0bytes are left" in page
    limited(
        settings, linked_files_of_person=10**9, linked_files_of_organisation=len(FILE)
    )
    assert "share as much as is allowed" in link(
        as_bob, compose_page, upload("Third.pdf")
    )
    assert LinkedFile.objects.count() == 1
    limited(settings, linked_file_limit=0)
    assert as_bob.get(f"{compose_page.url}links/").status_code == 404
    assert "Send a file as a link" not in compose_page.page(as_bob)


def test_an_infected_forbidden_or_unscanned_file_is_refused_by_name(
    as_bob: Client, compose_page: ComposePage, settings, tmp_path
) -> None:
    page = link(as_bob, compose_page, upload("Order.pdf", EICAR))
    assert "Order.pdf was not added: the virus scanner found" in page
    assert Entry.objects.filter(event="linked_file.infected").exists()
    assert QuarantinedMessage.objects.get().sender.startswith("bob@")
    assert "run.exe was not added" in link(as_bob, compose_page, upload("run.exe"))
    locked = upload("Order.pdf", pdfs.LOCKED_AES_256)
    assert "A PDF that is encrypted" in link(as_bob, compose_page, locked)
    limited(settings, clamd="/nowhere/clamd.sock")
    page = link(as_bob, compose_page)
    assert "cannot be scanned for viruses at the moment" in page
    with RecordingClamd(tmp_path) as clamd:
        limited(settings, clamd=clamd.socket)
        for answer in (
            b"INSTREAM size limit exceeded. ERROR\0",
            b"stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0",
        ):
            clamd.answer = answer
            page = link(as_bob, compose_page)
            assert "Bundle.pdf was not added: the virus scanner does not take" in page
            assert "Divide it" in page
    assert not LinkedFile.objects.exists()
    assert QuarantinedMessage.objects.count() == 1


def test_a_process_examines_few_files_at_one_time(
    as_bob: Client, compose_page: ComposePage
) -> None:
    with examining, examining:
        page = link(as_bob, compose_page)
        assert "Bundle.pdf was not added: others are uploading" in page
        assert not LinkedFile.objects.exists()

    link(as_bob, compose_page, upload("run.exe"))
    link(as_bob, compose_page, upload("run.exe"))
    assert "No virus found" in link(as_bob, compose_page)


def test_an_encrypted_file_is_marked_where_the_community_says_so(
    as_bob: Client, compose_page: ComposePage, settings
) -> None:
    limited(settings, encrypted_content="mark")

    page = link(as_bob, compose_page, upload("Order.pdf", pdfs.LOCKED_AES_256))

    assert "Cannot be scanned for viruses" in page
    assert LinkedFile.objects.get().state == ScanState.ENCRYPTED


def test_content_is_encrypted_at_rest(
    as_bob: Client, compose_page: ComposePage, settings
) -> None:
    for _ in encryption.switched_on(settings):
        link(as_bob, compose_page)
        row = LinkedFile.objects.select_related("content").get()

        assert row.content.is_encrypted
        assert FILE[:40] not in store.read(Kind.BODY, row.content.blob_key)
        with downloads.open_content(row) as opened:
            assert opened.read() == FILE


def test_a_file_of_a_draft_is_no_forgotten_attachment(
    as_bob: Client, compose_page: ComposePage
) -> None:
    typed = {"to": CHARLIE, "subject": "It", "text": "The bundle is attached."}
    page = compose_page.post(as_bob, "send", **typed).content.decode()
    assert "no file is attached" in page

    link(as_bob, compose_page)

    page = compose_page.post(as_bob, "send", **typed).content.decode()
    assert "no file is attached" not in page


def test_nobody_adds_to_or_removes_from_somebody_elses_draft(
    as_bob: Client, signed_in: SignIn, charlie: Person, compose_page: ComposePage
) -> None:
    link(as_bob, compose_page)
    row = LinkedFile.objects.get()
    own = reverse("webmail:draft", args=[charlie.mailbox.pk, row.token])
    client = signed_in(charlie, second_factor=True)

    assert client.get(f"{compose_page.url}links/").status_code == 404
    assert client.post(f"{compose_page.url}links/add/").status_code == 404
    assert client.post(f"{compose_page.url}links/remove/").status_code == 404
    client.post(f"{own}links/remove/", {"file": row.pk})

    assert LinkedFile.objects.exists()


def test_only_this_page_takes_bodies_larger_than_a_message(
    rf: RequestFactory, bob: Person, compose_page: ComposePage
) -> None:
    limit = BodyLimitMiddleware(lambda _: HttpResponse())
    links = f"{compose_page.url}links/"
    larger = settings.POSTERN.linked_file_limit

    def status(path: str, user: object) -> int:
        request = rf.post(path)
        request.META["CONTENT_LENGTH"] = str(larger)
        request.user = user
        request.session = {}
        return limit(request).status_code

    assert status(links, bob) == 200
    assert status(f"{links}add/", bob) == 200
    assert status(f"{links}remove/", bob) == 413
    assert status(compose_page.url, bob) == 413
    assert status(links, AnonymousUser()) == 413
