"""What a reader sees and can do in a mailbox under emergency access."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone
from time_machine import travel

from engine.audit.models import Entry
from engine.mail.composer import Attachment
from engine.registry import mailbox_openings
from engine.registry.mailbox_openings import OpeningMethod
from engine.registry.models import Person
from engine.storage import withdrawals
from engine.storage.models import (
    Content,
    Folder,
    FolderRole,
    Message,
    WithdrawalKind,
)
from engine.storage.withdrawals import Cause
from portal.emergency_access import actions
from portal.emergency_access.models import EmergencyAccess, ReadingKind
from tests import factories
from tests.portal.emergency_access.conftest import Browse, ask
from tests.portal.webmail.conftest import compose_message, store_message

BANNER = "You are reading the mailbox of Bob"
# The only webmail views that open a mailbox under emergency access.
READING = {"folder", "mailbox", "search", "read", "content", "part", "attached"}
READING |= {"attached_content", "withdrawn", "withdrawn_message"}


@pytest.fixture
def as_alice(opened: EmergencyAccess, alice: Person, browse: Browse) -> Client:
    """The browser of Alice, who may read Bob's mailbox."""
    return browse(alice)


def reading_urls(message: Message) -> list[str]:
    inner = [message.pk, "2"]
    return [
        reverse("webmail:mailbox", args=[message.mailbox_id]),
        reverse("webmail:folder", args=[message.folder_id]),
        reverse("webmail:search", args=[message.mailbox_id]) + "?q=hearing",
        reverse("webmail:read", args=[message.pk]),
        reverse("webmail:content", args=[message.pk]),
        reverse("webmail:part", args=inner),
    ]


def test_the_reader_lists_searches_and_reads_under_a_banner(
    as_alice: Client, message: Message
) -> None:
    for url in reading_urls(message)[1:4]:
        page = as_alice.get(url)
        assert page.status_code == 200
        assert BANNER in page.content.decode()
        assert "Hearing on Monday" in page.content.decode()
    framed = as_alice.get(reverse("webmail:content", args=[message.pk]))
    assert "MARKER" in framed.content.decode()
    file = as_alice.get(reverse("webmail:part", args=[message.pk, "2"]))
    assert file.status_code == 200


def test_staff_read_who_use_no_mail_themselves(
    alice: Person,
    olive: Person,
    hugh: Person,
    bob: Person,
    message: Message,
    browse: Browse,
) -> None:
    access = ask(bob, by=olive)
    urls = reading_urls(message)
    as_olive = browse(olive)
    assert {as_olive.get(url).status_code for url in urls} == {403}
    actions.approve(access, by=hugh)
    actions.approve(access, by=alice)

    assert {as_olive.get(url).status_code for url in urls} == {200, 302}
    assert as_olive.get("/mail/")["Location"] == urls[0]

    actions.end(access, by=alice)
    assert {as_olive.get(url).status_code for url in urls} == {403}


def test_reading_changes_nothing(
    as_alice: Client, bob: Person, message: Message
) -> None:
    draft = store_message(bob.mailbox, role=FolderRole.DRAFTS)
    rows = (Message, Folder, Content)
    before = [list(model.objects.order_by("pk").values()) for model in rows]
    for one in (message, draft):
        for url in reading_urls(one):
            as_alice.get(url)

    changed = [list(model.objects.order_by("pk").values()) for model in rows]
    for was, now in zip(before, changed, strict=True):
        for row in (*was, *now):
            for prepared in ("is_indexed", "preview"):  # by the search
                row.pop(prepared, None)
        assert now == was
    message.refresh_from_db()
    assert not message.is_read


def test_a_mailbox_that_was_never_used_gets_no_folders(
    as_alice: Client, bob: Person
) -> None:
    page = as_alice.get(f"/mail/mailboxes/{bob.mailbox.pk}/", follow=True)

    assert page.status_code == 200
    assert BANNER in page.content.decode()
    assert not Folder.objects.filter(mailbox=bob.mailbox).exists()


def test_the_pages_offer_nothing_that_writes(
    as_alice: Client, message: Message
) -> None:
    for url in reading_urls(message)[1:4]:
        page = as_alice.get(url).content.decode()
        for path in ("/reply/", "/forward/", "/write/", "/settings/", "/original/"):
            assert path not in page, (url, path)
        mail = page.partition('id="mail"')[2]
        for word in ("Archive", "Delete", "Mark as", 'type="checkbox"'):
            assert word not in mail, (url, word)


def test_every_other_webmail_view_refuses_the_reader(
    as_alice: Client, bob: Person, message: Message
) -> None:
    values = {
        "mailbox_id": bob.mailbox.pk,
        "folder_id": message.folder_id,
        "message_id": message.pk,
        "path": "2",
        "token": uuid4(),
        "rule_id": 1,
    }
    tried = 0
    routes = get_resolver("portal.webmail.urls").reverse_dict
    names = [name for name in routes if isinstance(name, str)]
    for name in sorted({*names} - READING):
        for found, _, _, _ in routes.getlist(name):
            arguments = found[0][1]
            about = set(arguments) & {"mailbox_id", "folder_id", "message_id"}
            if not about or not set(arguments) <= set(values):
                continue
            url = reverse(f"webmail:{name}", kwargs={k: values[k] for k in arguments})
            tried += 1
            for answer in (as_alice.get(url), as_alice.post(url, {"do": "delete"})):
                assert answer.status_code in (404, 405), (url, answer.status_code)
    assert tried > 20


def test_a_reply_from_the_readers_own_mailbox_quotes_nothing(
    as_alice: Client, alice: Person, message: Message
) -> None:
    as_alice.post(
        reverse("webmail:draft", args=[alice.mailbox.pk, uuid4()]),
        {"do": "save", "text": "x", "answers": message.pk},
    )

    draft = Message.objects.get(mailbox=alice.mailbox)
    assert message.message_id.encode() not in bytes(draft.content.header)


def test_the_readers_own_mailbox_is_as_ever(
    as_alice: Client, alice: Person, message: Message
) -> None:
    own = store_message(alice.mailbox)

    page = as_alice.get(reverse("webmail:read", args=[own.pk])).content.decode()

    own.refresh_from_db()
    assert own.is_read
    assert BANNER not in page
    assert str(message.mailbox.address) not in page
    assert "Reply" in page


@pytest.mark.parametrize("who", ["amy", "charlie", "olive", "hugh"])
def test_nobody_else_reads(
    who: str,
    opened: EmergencyAccess,
    message: Message,
    browse: Browse,
    request: pytest.FixtureRequest,
) -> None:
    client = browse(request.getfixturevalue(who))

    for url in reading_urls(message):
        assert client.get(url).status_code in (403, 404)


def test_another_mailbox_stays_closed(
    as_alice: Client, amy: Person, opened: EmergencyAccess
) -> None:
    other = store_message(amy.mailbox)

    for url in reading_urls(other):
        assert as_alice.get(url).status_code == 404


def test_the_mailbox_closes_while_it_is_read(
    as_alice: Client, message: Message, opened: EmergencyAccess, amy: Person
) -> None:
    url = reverse("webmail:read", args=[message.pk])
    assert as_alice.get(url).status_code == 200

    # The job that closes it need not have run.
    EmergencyAccess.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    assert as_alice.get(url).status_code == 404

    EmergencyAccess.objects.update(ends_at=timezone.now() + timedelta(hours=1))
    assert as_alice.get(url).status_code == 200
    actions.end(opened, by=amy)
    assert as_alice.get(url).status_code == 404


def test_the_mailbox_of_a_suspended_person_can_be_read(
    as_alice: Client, bob: Person, message: Message
) -> None:
    Person.objects.filter(pk=bob.pk).update(is_active=False)
    bob.mailbox.is_active = False
    bob.mailbox.save()

    assert as_alice.get(reverse("webmail:read", args=[message.pk])).status_code == 200


def test_a_password_alone_does_not_do(
    opened: EmergencyAccess, alice: Person, message: Message, client: Client
) -> None:
    client.force_login(alice, "allauth.account.auth_backends.AuthenticationBackend")

    for url in (*reading_urls(message), f"/emergency-access/{opened.pk}/end/"):
        answer = client.get(url)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/account/second-factor/")


def test_everything_that_is_opened_is_recorded_before_it_is_shown(
    as_alice: Client, message: Message, opened: EmergencyAccess, alice: Person
) -> None:
    for url in reading_urls(message):
        as_alice.get(url)

    kinds = [one.kind for one in opened.readings.all()]
    assert kinds == [
        ReadingKind.FOLDER,
        ReadingKind.SEARCH,
        ReadingKind.MESSAGE,  # not again for the frame of its page
        ReadingKind.ATTACHMENT,
    ]
    entries = Entry.objects.filter(event="emergency_access.read")
    assert entries.count() == 4
    assert {one.by_name for one in entries} == {alice.address}
    for entry in entries:
        assert "Hearing" not in str(entry.detail)


def test_the_frame_alone_is_recorded_as_the_message(
    as_alice: Client, message: Message, opened: EmergencyAccess
) -> None:
    as_alice.get(reverse("webmail:content", args=[message.pk]))

    assert opened.readings.get().kind == ReadingKind.MESSAGE


def test_an_attached_message_is_recorded(
    as_alice: Client, bob: Person, opened: EmergencyAccess
) -> None:
    outer = store_message(
        bob.mailbox,
        attachments=[Attachment("Old.eml", "message/rfc822", compose_message())],
    )

    page = as_alice.get(reverse("webmail:attached", args=[outer.pk, "2"]))
    as_alice.get(reverse("webmail:attached_content", args=[outer.pk, "2"]))

    assert page.status_code == 200
    assert opened.readings.get().kind == ReadingKind.ATTACHMENT


def test_no_earlier_message_is_shown_inside_another(
    as_alice: Client, bob: Person, opened: EmergencyAccess
) -> None:
    first = store_message(bob.mailbox, text="EARLIER")
    answer = compose_message(text="Answer", in_reply_to=first.message_id)
    second = store_message(bob.mailbox, answer)

    page = as_alice.get(reverse("webmail:read", args=[second.pk])).content.decode()

    assert "EARLIER" not in page


def test_a_reader_who_holds_a_group_mailbox_uses_it_as_before(
    as_alice: Client, alice: Person, opened: EmergencyAccess
) -> None:
    team = factories.make_group_mailbox(
        "duty@northfield.secure.example", alice.organisation
    )
    factories.make_grant(team, alice, can_read=True, can_write=True, can_send=True)

    page = as_alice.get(reverse("webmail:mailbox", args=[team.pk]), follow=True)

    assert BANNER not in page.content.decode()
    assert opened.readings.count() == 0


def test_the_holder_sees_the_reader_among_those_who_opened_the_mailbox(
    as_alice: Client, bob: Person, message: Message
) -> None:
    for _ in range(2):
        as_alice.get(reverse("webmail:read", args=[message.pk]))

    opening = mailbox_openings.by_others(bob.mailbox, bob).get()
    assert opening.method == OpeningMethod.BREAK_GLASS
    assert opening.by_name == "alice@northfield.secure.example"


def test_the_list_of_openings_keeps_it_back_while_the_holder_is_not_told(
    as_alice: Client, bob: Person, message: Message, opened: EmergencyAccess
) -> None:
    EmergencyAccess.objects.update(told_at=None)

    as_alice.get(reverse("webmail:read", args=[message.pk]))

    assert not mailbox_openings.by_others(bob.mailbox, bob).exists()
    with travel(opened.ends_at + timedelta(seconds=1), tick=False):
        assert mailbox_openings.by_others(bob.mailbox, bob).exists()


def withdraw(message: Message) -> None:
    cause = Cause(WithdrawalKind.OPERATOR, by=None, reason="Forged invoice")
    withdrawals.take_out([message.pk], cause)


def test_what_was_withdrawn_is_read_under_emergency_access(
    as_alice: Client, message: Message, opened: EmergencyAccess
) -> None:
    withdraw(message)
    url = reverse("webmail:withdrawn_message", args=[message.pk])

    listed = as_alice.get(reverse("webmail:withdrawn", args=[message.mailbox_id]))
    page = as_alice.get(url).content.decode()

    assert url in listed.content.decode()
    assert BANNER in page
    assert "Hearing on Monday" in page
    assert "Bundle.pdf" in page
    assert "/parts/" not in page
    assert [one.kind for one in opened.readings.all()] == [
        ReadingKind.FOLDER,
        ReadingKind.MESSAGE,
    ]


def test_nobody_else_reads_what_was_withdrawn(
    opened: EmergencyAccess,
    message: Message,
    bob: Person,
    amy: Person,
    olive: Person,
    browse: Browse,
) -> None:
    withdraw(message)
    url = reverse("webmail:withdrawn_message", args=[message.pk])

    for person in (bob, amy, olive):
        assert browse(person).get(url).status_code in (403, 404)
    held = browse(bob).get(reverse("webmail:withdrawn", args=[message.mailbox_id]))
    assert url not in held.content.decode()


def test_a_reader_does_not_stop_the_author_from_recalling(
    as_alice: Client, message: Message
) -> None:
    for url in reading_urls(message):
        as_alice.get(url)

    message.refresh_from_db()
    assert message.first_use == ""


def test_the_list_of_openings_shows_it_once_the_access_is_ended_early(
    as_alice: Client, alice: Person, bob: Person, message: Message
) -> None:
    EmergencyAccess.objects.update(told_at=None)
    as_alice.get(reverse("webmail:read", args=[message.pk]))
    assert not mailbox_openings.by_others(bob.mailbox, bob).exists()

    actions.end(EmergencyAccess.objects.get(), by=alice)

    assert mailbox_openings.by_others(bob.mailbox, bob).exists()
