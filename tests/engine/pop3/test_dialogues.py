from __future__ import annotations

import asyncio
import base64
import poplib
from collections.abc import Sequence

import pytest

from engine.pop3 import maildrop, read_ahead
from engine.pop3.maildrop import Item, Maildrop
from engine.pop3.server_context import Limits
from engine.queue import mailbox_withdrawals
from engine.queue.mailbox_withdrawals import Cause
from engine.registry.models import Mailbox, Person
from engine.routing import routes
from engine.storage import message_actions, standard_folders
from engine.storage.models import (
    Content,
    FolderRole,
    Message,
    WithdrawalKind,
    WithdrawnCopy,
)
from tests.dialogue import Dialogue
from tests.engine.pop3 import sample_messages
from tests.engine.pop3.conftest import SECRET, Serve, Server

SIGN_IN = f"""
s: +OK *
c: STLS
s: +OK *
tls
c: USER bob@northfield.secure.example
s: +OK
c: PASS {SECRET}
s: +OK *
"""


def plain(username: str, *, acts_as: str = "") -> str:
    response = f"{acts_as}\0{username}\0{SECRET}"
    return base64.b64encode(response.encode()).decode()


async def in_thread(work, *args):
    return await asyncio.to_thread(work, *args)


async def test_before_tls(server: Server) -> None:
    await server.run("before_tls")


async def test_session(server: Server, reader: Person) -> None:
    first = await in_thread(sample_messages.deliver, reader.mailbox)
    second = await in_thread(sample_messages.deliver, reader.mailbox)
    size = first.size + len(sample_messages.RETURN_PATH)

    await server.run(
        "session",
        size=str(size),
        both=str(2 * size),
        first=str(first.pk),
        second=str(second.pk),
    )

    kept = await in_thread(lambda: list(Message.objects.all()))
    assert kept == [first]
    assert await in_thread(Content.objects.count) == 1


async def test_mistakes(server: Server, reader: Person) -> None:
    await in_thread(sample_messages.deliver, reader.mailbox)

    await server.run("mistakes")


async def test_wrong_password(server: Server, reader: Person) -> None:
    await server.run("wrong_password")


async def test_sasl(server: Server, reader: Person) -> None:
    await server.run(
        "sasl",
        response=plain(reader.address),
        for_another=plain(reader.address, acts_as="alice@northfield.secure.example"),
    )


async def test_utf8(server: Server, reader: Person) -> None:
    message = "Subject: Grüße\r\n\r\nHallo\r\n".encode()
    await in_thread(sample_messages.deliver, reader.mailbox, message)

    await server.run("utf8")


async def test_injected(server: Server) -> None:
    await server.run("injected")


async def test_pipelined(server: Server, reader: Person) -> None:
    await in_thread(sample_messages.deliver, reader.mailbox)

    await server.run("pipelined")

    assert await in_thread(Message.objects.count) == 0


async def test_too_long(server: Server) -> None:
    await server.run("too_long", long="A" * 10_000)


async def test_too_many_errors(serve: Serve) -> None:
    server = await serve(Limits(errors=4))

    await server.run("too_many_errors")


async def test_hanging_up_without_quit_deletes_nothing(
    server: Server, reader: Person
) -> None:
    await in_thread(sample_messages.deliver, reader.mailbox)

    await server.say(SIGN_IN + "c: DELE 1\ns: +OK\n")

    assert await in_thread(Message.objects.count) == 1


async def test_mail_that_arrives_meanwhile_waits_for_the_next_session(
    server: Server, reader: Person
) -> None:
    client = await in_thread(sign_in, server)
    await in_thread(sample_messages.deliver, reader.mailbox)

    assert await in_thread(client.stat) == (0, 0)
    await in_thread(client.quit)
    client = await in_thread(sign_in, server)
    assert (await in_thread(client.stat))[0] == 1
    await in_thread(client.quit)


async def test_mail_that_goes_meanwhile(server: Server, reader: Person) -> None:
    message = await in_thread(sample_messages.deliver, reader.mailbox)
    client = await in_thread(sign_in, server)
    await in_thread(message_actions.erase, [message.pk])

    with pytest.raises(poplib.error_proto, match="was removed in the meantime"):
        await in_thread(client.retr, 1)
    await in_thread(client.dele, 1)
    await in_thread(client.quit)


async def test_messages_retrieved_in_order_are_read_together_and_served_once(
    server: Server, reader: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        await in_thread(sample_messages.deliver, reader.mailbox)
    asked: list[int] = []
    read_small = maildrop.read_small

    def counted(opened: Maildrop, items: Sequence[Item]) -> dict[int, bytes]:
        asked.append(len(items))
        return read_small(opened, items)

    monkeypatch.setattr(maildrop, "read_small", counted)
    client = await in_thread(sign_in, server)

    numbers = [1, 2, 3, 4, 5, 5, 2]
    texts = [(await in_thread(client.retr, number))[1] for number in numbers]

    assert asked == [4]
    assert len({b"\n".join(text) for text in texts}) == 1
    await in_thread(client.quit)


async def test_a_message_that_was_read_ahead_is_soon_gone_too(
    server: Server, reader: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_ahead, "FRESH_SECONDS", 0.0)
    made = [await in_thread(sample_messages.deliver, reader.mailbox) for _ in range(3)]
    client = await in_thread(sign_in, server)
    await in_thread(client.retr, 1)
    await in_thread(client.retr, 2)
    await in_thread(message_actions.erase, [made[2].pk])

    with pytest.raises(poplib.error_proto, match="was removed in the meantime"):
        await in_thread(client.retr, 3)
    await in_thread(client.quit)


async def test_mail_filed_meanwhile_is_not_deleted(
    server: Server, reader: Person
) -> None:
    message = await in_thread(sample_messages.deliver, reader.mailbox)
    client = await in_thread(sign_in, server)
    archive = await in_thread(
        standard_folders.folder, reader.mailbox, FolderRole.ARCHIVE
    )
    await in_thread(message_actions.move, [message], archive)

    await in_thread(client.dele, 1)
    await in_thread(client.quit)

    assert await in_thread(Message.objects.count) == 1


async def test_one_session_a_maildrop(server: Server, reader: Person) -> None:
    client = await in_thread(sign_in, server)

    with pytest.raises(poplib.error_proto, match=r"\[IN-USE\]"):
        await in_thread(sign_in, server)
    await in_thread(client.quit)
    again = await in_thread(sign_in, server)
    await in_thread(again.quit)


async def test_one_session_a_maildrop_across_processes(
    serve: Serve, reader: Person
) -> None:
    """Two servers share nothing but the database."""
    here, elsewhere = await serve(Limits()), await serve(Limits())
    client = await in_thread(sign_in, here)

    with pytest.raises(poplib.error_proto, match=r"\[IN-USE\]"):
        await in_thread(sign_in, elsewhere)
    await in_thread(client.quit)
    again = await in_thread(sign_in, elsewhere)
    await in_thread(again.quit)


async def test_neighbours_mail_is_not_seen(
    server: Server, reader: Person, alice: Person
) -> None:
    await in_thread(sample_messages.deliver, alice.mailbox)

    client = await in_thread(sign_in, server)

    assert await in_thread(client.stat) == (0, 0)
    await in_thread(client.quit)


async def test_mail_in_other_folders_is_not_listed(
    server: Server, reader: Person
) -> None:
    message = await in_thread(sample_messages.deliver, reader.mailbox)
    trash = await in_thread(standard_folders.folder, reader.mailbox, FolderRole.TRASH)
    await in_thread(message_actions.move, [message], trash)

    client = await in_thread(sign_in, server)

    assert await in_thread(client.stat) == (0, 0)
    await in_thread(client.quit)


async def test_listing_is_never_cut_short(server: Server, reader: Person) -> None:
    message = await in_thread(sample_messages.deliver, reader.mailbox)
    await in_thread(fill_with_copies, message, 2_500)
    client = await in_thread(sign_in, server)

    _, sizes, _ = await in_thread(client.list)
    _, uids, _ = await in_thread(client.uidl)

    assert len(sizes) == 2_500
    assert len({uid.split()[1] for uid in uids}) == 2_500
    await in_thread(client.quit)


async def test_person_without_mailbox(server: Server, reader: Person) -> None:
    await in_thread(reader.mailbox.delete)

    with pytest.raises(poplib.error_proto, match="No mailbox is kept here"):
        await in_thread(sign_in, server)


async def test_message_without_sender(server: Server, reader: Person) -> None:
    await in_thread(
        sample_messages.deliver, reader.mailbox, b"Subject: x\r\n\r\ny\r\n", ""
    )
    client = await in_thread(sign_in, server)

    _, lines, _ = await in_thread(client.retr, 1)

    assert lines[0] == b"Return-Path: <>"
    await in_thread(client.quit)


def sign_in(server: Server) -> poplib.POP3:
    client = poplib.POP3("localhost", server.pop3, timeout=20)
    try:
        client.stls(context=server.context)
        client.user("bob@northfield.secure.example")
        client.pass_(SECRET)
    except poplib.error_proto:
        client.close()
        raise
    return client


def fill_with_copies(message: Message, count: int) -> None:
    """Copies a message into its folder until the folder holds `count`."""
    facts = Message.objects.filter(pk=message.pk).values().get()
    del facts["id"]
    Message.objects.bulk_create([Message(**facts) for _ in range(count - 1)])


async def test_a_group_mailbox_is_read_under_its_own_address(
    server: Server, listing: Mailbox
) -> None:
    await in_thread(sample_messages.deliver, listing)

    await server.run("group_read_only")


async def test_who_may_write_to_a_group_mailbox_removes_from_it(
    server: Server, listing: Mailbox
) -> None:
    await in_thread(sample_messages.deliver, listing)
    await listing.grants.aupdate(can_write=True)

    await server.say(
        SIGN_IN_TO_LISTING.format(answer="+OK 1 *")
        + "c: DELE 1\ns: +OK\nc: QUIT\ns: +OK *\n"
    )

    assert await in_thread(Message.objects.count) == 0


async def test_a_group_mailbox_opens_to_nobody_who_may_only_send_from_it(
    server: Server, listing: Mailbox
) -> None:
    await listing.grants.aupdate(can_read=False, can_send=True)

    await server.say(SIGN_IN_TO_LISTING.format(answer="-ERR [[]AUTH] *"))


async def test_a_suspended_group_mailbox_opens_to_nobody(
    server: Server, listing: Mailbox
) -> None:
    await Mailbox.objects.filter(pk=listing.pk).aupdate(is_active=False)

    await server.say(SIGN_IN_TO_LISTING.format(answer="-ERR [[]AUTH] *"))


SIGN_IN_TO_LISTING = """\
s: +OK *
c: STLS
s: +OK *
tls
c: USER listing@northfield.secure.example
s: +OK
c: PASS {{secret}}
s: {answer}
"""


async def test_what_is_withdrawn_meanwhile_is_not_served(
    server: Server, reader: Person
) -> None:
    for _ in range(3):
        await in_thread(sample_messages.deliver, reader.mailbox)
    ids = [
        pk async for pk in Message.objects.order_by("pk").values_list("pk", flat=True)
    ]
    dialogue = Dialogue(server.pop3, server.context)
    await routes.refresh()
    await in_thread(dialogue.say, SIGN_IN)

    cause = Cause(WithdrawalKind.INFECTED, by=None, reason="Eicar")
    await in_thread(mailbox_withdrawals.withdraw, ids[:2], cause)

    await in_thread(
        dialogue.run,
        """
c: RETR 1
s: -ERR The message was removed in the meantime
c: TOP 1 0
s: -ERR The message was removed in the meantime
c: RETR 2
s: -ERR The message was removed in the meantime
c: DELE 1
s: +OK
c: QUIT
s: +OK*
closed
""",
    )
    assert await WithdrawnCopy.objects.acount() == 2
