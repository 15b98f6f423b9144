"""Whether a message that arrives counts as one with attachments: as webmail lists them."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async

from engine.registry.models import Person
from engine.storage import rules
from engine.storage.models import Message, Rule
from portal.webmail.rendering import parsed_message
from tests.attachment_cases import CASES, letter
from tests.engine.smtp.conftest import Server
from tests.engine.smtp.test_receive import HELLO

# Octets beyond which a message is examined in a thread, and its body kept in a file.
LARGE = 100_000


def dialogue(*letters: bytes) -> str:
    """Returns a session of Firm's server that sends these messages to Bob."""
    sent = HELLO + "c: AUTH PLAIN {credential}\ns: 235 *\n"
    for one in letters:
        lines = one.decode().removesuffix("\r\n").split("\r\n")
        sent += (
            "c: MAIL FROM:<jane@firm.example>\ns: 250 *\n"
            "c: RCPT TO:<bob@northfield.secure.example>\ns: 250 *\n"
            "c: DATA\ns: 354 *\n"
        )
        sent += "".join(f"c: {line}\n" for line in lines)
        sent += "c: .\ns: 250 2.0.0 *\n"
    return sent


@pytest.mark.parametrize("padding", [0, LARGE])
async def test_arriving_mail_is_marked_as_webmail_lists_its_attachments(
    server: Server, bob: Person, credential: str, padding: int
) -> None:
    rule = Rule(mailbox=bob.mailbox, name="Files", has_attachments=True, flags=True)
    await sync_to_async(rules.save)(rule, by=bob)
    letters = [letter(case, padding=padding) for case in CASES]

    await server.say("receive", dialogue(*letters), credential=credential)

    rows = [row async for row in Message.objects.select_related("content", "mailbox")]
    parsed = await sync_to_async(lambda: list(map(parsed_message.parse_stored, rows)))()
    listed = {
        row.subject: bool(one.attachments)
        for row, one in zip(rows, parsed, strict=True)
    }
    assert listed == CASES
    assert {row.subject: row.has_attachments for row in rows} == CASES
    assert {row.subject: row.is_flagged for row in rows} == CASES
