from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest
from asgiref.sync import sync_to_async

from engine.audit.models import Entry
from engine.mail.errors import PermanentFailure
from engine.mail.header import HeaderBlock
from engine.queue.models import QueuedMessage
from engine.registry.models import AppPassword, Person
from engine.routing import routes
from engine.smtp.session_binding import Binding
from engine.smtp.submission_policy import SubmissionPolicy
from engine.storage import content
from engine.storage.models import Message
from tests import factories
from tests.dialogue import FOLDER
from tests.engine.smtp.conftest import SECRET, Server, plain

HELLO = """\
s: 220 *
c: EHLO laptop
s: 250 *
"""


@pytest.mark.parametrize(
    "dialogue",
    ["before_sign_in", "as_somebody_else", "to_a_stranger", "forbidden_in_archive"],
)
async def test_submission_refuses_and_keeps_nothing(
    server: Server, alice: Person, app_password: str, dialogue: str
) -> None:
    await server.run("submission", dialogue, credential=app_password)

    assert await Message.objects.acount() == 0


async def test_submission_refuses_a_disguised_file_to_a_list(
    server: Server, alice: Person, app_password: str
) -> None:
    await sync_to_async(factories.make_list)(
        "duty@northfield.secure.example", alice.organisation, alice.address
    )

    await server.run("submission", "forbidden_to_a_list", credential=app_password)

    assert await Message.objects.acount() == 0
    assert await QueuedMessage.objects.acount() == 0


async def test_a_person_sends_with_an_app_password(
    server: Server, alice: Person, app_password: str
) -> None:
    await server.run("submission", "as_himself", credential=app_password)

    message = await Message.objects.select_related("mailbox").aget()
    assert message.mailbox.address == alice.address


async def test_a_blind_copy_stays_blind(
    server: Server, alice: Person, app_password: str
) -> None:
    text = (FOLDER / "submission" / "as_himself.txt").read_text()
    hidden = "c: Bcc: carol@northfield.secure.example\n"

    await server.say(
        "submission",
        text.replace("c: To:", f"{hidden}c: To:"),
        credential=app_password,
    )

    message = await Message.objects.select_related("content").aget()
    raw = content.read(message)
    assert b"To: alice@" in raw
    assert b"carol" not in raw


AS_HIMSELF = (FOLDER / "submission" / "as_himself.txt").read_text()


def without(*fields: str) -> str:
    """Returns the dialogue with a message that lacks these fields."""
    starts = tuple(f"c: {field}:" for field in fields)
    lines = AS_HIMSELF.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(starts))


async def test_a_person_sends_from_an_address_with_a_detail(
    server: Server, alice: Person, app_password: str
) -> None:
    dialogue = AS_HIMSELF.replace("bob@", "bob+Case7@")

    await server.say("submission", dialogue, credential=app_password)

    message = await Message.objects.select_related("mailbox").aget()
    assert message.mailbox.address == alice.address
    assert message.from_address == "bob+Case7@northfield.secure.example"


@pytest.mark.parametrize("local", ["bob+team", "alice+case7"])
async def test_a_person_does_not_send_from_a_neighbours_address_with_a_plus(
    server: Server, alice: Person, app_password: str, local: str
) -> None:
    await sync_to_async(factories.make_group_mailbox)(
        "bob+team@northfield.secure.example", alice.organisation
    )
    hello, _, _ = AS_HIMSELF.partition("c: MAIL")
    refused = "s: 550 5.7.1 *\n"
    as_own = "c: MAIL FROM:<bob@northfield.secure.example>\ns: 250 *\n"

    await server.say(
        "submission",
        hello
        + f"c: MAIL FROM:<{local}@northfield.secure.example>\n{refused}"
        + as_own
        + f"c: RCPT TO:<{alice.address}>\ns: 250 *\nc: DATA\ns: 354 *\n"
        + f"c: From: {local}@northfield.secure.example\nc:\nc: .\n{refused}",
        credential=app_password,
    )


async def test_a_missing_date_and_message_id_are_added(
    server: Server, alice: Person, app_password: str
) -> None:
    dialogue = without("Date", "Message-ID").replace(
        "c: To:", "c: Date:\nc: MESSAGE-ID: \nc: To:"
    )
    before = datetime.now(UTC).replace(microsecond=0)

    await server.say("submission", dialogue, credential=app_password)

    message = await Message.objects.select_related("content").aget()
    header = HeaderBlock.parse(content.header(message))
    [date], [message_id] = header.all("Date"), header.all("Message-ID")
    assert before <= parsedate_to_datetime(date.text) <= datetime.now(UTC)
    assert re.fullmatch(r"<[0-9a-f]{32}@northfield\.secure\.example>", message_id.text)


async def test_a_date_and_message_id_that_are_there_stay_as_they_are(
    server: Server, alice: Person, app_password: str
) -> None:
    dialogue = without("Date", "Message-ID").replace(
        "c: To:", "c: date : yesterday\nc: message-id:  <1@ laptop>\nc: To:"
    )

    await server.say("submission", dialogue, credential=app_password)

    message = await Message.objects.select_related("content").aget()
    raw = content.header(message)
    assert b"\r\ndate : yesterday\r\nmessage-id:  <1@ laptop>\r\n" in raw
    header = HeaderBlock.parse(raw)
    assert [len(header.all(name)) for name in ("Date", "Message-ID")] == [1, 1]


async def test_two_alike_without_a_message_id_are_both_meant(
    server: Server, alice: Person, app_password: str
) -> None:
    for _ in range(2):
        await server.say("submission", without("Message-ID"), credential=app_password)

    assert await Message.objects.acount() == 2


async def test_sign_in_by_login_works_as_by_plain(
    server: Server, bob: Person, app_password: str
) -> None:
    await server.run(
        "submission",
        "login",
        username64=base64.b64encode(bob.address.encode()).decode(),
        secret64=base64.b64encode(SECRET.encode()).decode(),
    )


async def test_the_sign_in_password_opens_no_mail_protocol(
    server: Server, bob: Person
) -> None:
    await server.say(
        "submission",
        HELLO + "c: STARTTLS\ns: 220 *\ntls\nc: AUTH PLAIN {it}\ns: 535 5.7.8 *\n",
        it=plain(bob.address, factories.PASSWORD),
    )


async def test_a_revoked_app_password_is_refused(
    server: Server, app_password: str
) -> None:
    found = await AppPassword.objects.aget()
    found.revoked_at = found.created_at
    await found.asave()

    await server.say(
        "submission",
        HELLO + "c: STARTTLS\ns: 220 *\ntls\nc: AUTH PLAIN {it}\ns: 535 5.7.8 *\n",
        it=app_password,
    )


async def test_a_group_mailbox_is_a_sender_for_whom_it_is_granted(
    server: Server, bob: Person, alice: Person, app_password: str
) -> None:
    team = await _group_mailbox(bob, can_send=True)

    await server.say(
        "submission",
        HELLO
        + "c: STARTTLS\ns: 220 *\ntls\nc: EHLO laptop\ns: 250 *\n"
        + "c: AUTH PLAIN {it}\ns: 235 *\n"
        + f"c: MAIL FROM:<{team}>\ns: 250 *\n",
        it=app_password,
    )


async def test_reading_a_group_mailbox_is_not_yet_sending_from_it(
    server: Server, bob: Person, alice: Person, app_password: str
) -> None:
    team = await _group_mailbox(bob, can_read=True)

    await server.say(
        "submission",
        HELLO
        + "c: STARTTLS\ns: 220 *\ntls\nc: EHLO laptop\ns: 250 *\n"
        + "c: AUTH PLAIN {it}\ns: 235 *\n"
        + f"c: MAIL FROM:<{team}>\ns: 550 5.7.1 *\n",
        it=app_password,
    )


@sync_to_async
def _group_mailbox(person: Person, **rights: bool) -> str:
    address = "team@northfield.secure.example"
    mailbox = factories.make_group_mailbox(address, person.organisation)
    factories.make_grant(mailbox, person, **rights)
    return address


async def test_a_person_sends_as_the_team_and_the_trail_says_who(
    server: Server, alice: Person, bob: Person, app_password: str
) -> None:
    def team() -> None:
        listing = factories.make_group_mailbox(
            "listing@northfield.secure.example", bob.organisation
        )
        factories.make_grant(listing, bob, can_send=True)

    await sync_to_async(team)()
    await server.run("submission", "as_a_team", credential=app_password)

    entry = await Entry.objects.aget()
    assert (entry.event, entry.by_name) == ("mailbox.sent_from", bob.address)
    message = await Message.objects.aget()
    assert message.from_address == "listing@northfield.secure.example"


def test_a_session_is_refused_once_its_person_is_suspended(bob: Person) -> None:
    policy = SubmissionPolicy()
    theirs = Binding(bob.organisation_id, "app password", person_id=bob.pk)
    of_nobody = Binding(bob.organisation_id, "app password")

    policy.check_binding(routes.current(), theirs)
    with pytest.raises(PermanentFailure, match="suspended"):
        policy.check_binding(routes.current(), of_nobody)

    bob.is_active = False
    bob.save()
    with pytest.raises(PermanentFailure, match="suspended"):
        policy.check_binding(routes.current(), theirs)
