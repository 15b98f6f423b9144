"""Replies and forwarded messages, as they stand before anybody typed a word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID, uuid4

from django.utils import timezone
from django.utils.formats import date_format

from engine.mail import lookalike
from engine.mail.address_list import NamedAddress
from engine.mail.composer import Attachment
from engine.mail.header import HeaderBlock
from engine.mail.mime.file_names import from_title
from engine.storage.models import Message
from portal.webmail import recipient_input
from portal.webmail.drafts.draft import Draft
from portal.webmail.mailbox import sender_trust
from portal.webmail.rendering.parsed_message import Reading

# Characters of the original that are quoted.
QUOTE_LIMIT = 100_000
# Characters of a field, and of one name in it, that introduce a forwarded message.
VALUE_LIMIT = 1000
NAME_LIMIT = 200
PEOPLE = ("From", "To", "Cc")
# Files that a draft takes over one by one, each of which costs a millisecond or two.
FILES_LIMIT = 100
REST_LEFT_OUT = "[The rest of the message is left out]"


def reply(
    message: Message, reading: Reading, *, own: frozenset[str], to_all: bool
) -> Draft:
    """An answer to the sender, or to everybody who got the message.

    `own` are the keys of the addresses that answer: they do not write to themselves.
    """
    to = _answered(reading, own)
    others = [n for n in _named(reading, "To", "Cc") if n.address.key not in own]
    cc = _without(others, to) if to_all else []
    draft = Draft(
        token=uuid4(),
        to=recipient_input.typed(to),
        cc=recipient_input.typed(cc),
        subject=_prefixed("Re:", message.subject),
        text=f"\n\n{_attribution(message)}\n{_quoted(reading)}",
    )
    return threaded(draft, message)


def threaded(draft: Draft, message: Message) -> Draft:
    """The draft as an answer to the message (RFC 5322 §3.6.4)."""
    header = HeaderBlock.salvage(bytes(message.content.header))
    before = header.text("References") or header.text("In-Reply-To")
    return replace(
        draft,
        in_reply_to=message.message_id,
        references=f"{before} {message.message_id}",
    )


def forward(message: Message, reading: Reading, *, attached: bool) -> Draft:
    """The message for somebody else: quoted, or empty where it goes along as a file.

    `files_along` are the files that belong to it.
    """
    subject = _prefixed("Fwd:", message.subject)
    if attached:
        return Draft(token=uuid4(), subject=subject)
    text = f"\n\n{_introduction(reading)}\n\n{_text(reading)}"
    return Draft(token=uuid4(), subject=subject, text=text)


def files_along(reading: Reading, *, attached: bool) -> list[Attachment]:
    """What a forwarded message carries: its files, or the whole of it as one.

    Where there are more than FILES_LIMIT, the whole, which loses none.
    """
    if attached or len(reading.parts) > FILES_LIMIT:
        return [_whole(reading)]
    return [
        Attachment(shown.name, part.content_type, part.data())
        for shown, part in zip(reading.attachments, reading.parts, strict=True)
    ]


def again(reading: Reading, token: UUID) -> Draft:
    """A message that was written before, to be written on: under that token."""
    return Draft(
        token=token,
        to=recipient_input.typed(_named(reading, "To")),
        cc=recipient_input.typed(_named(reading, "Cc")),
        bcc=recipient_input.typed(_named(reading, "Bcc")),
        subject=reading.header.text("Subject"),
        text=_own_text(reading).removesuffix("\n"),
        in_reply_to=reading.header.text("In-Reply-To"),
        references=reading.header.text("References"),
    )


def _answered(reading: Reading, own: frozenset[str]) -> list[NamedAddress]:
    wanted = _named(reading, "Reply-To") or _named(reading, "From")
    if all(named.address.key in own for named in wanted):
        # One's own message: the answer goes on to those it went to.
        return _without(_named(reading, "To"), []) or wanted
    return _without(wanted, [])


def _named(reading: Reading, *names: str) -> list[NamedAddress]:
    return [named for name in names for named in reading.everybody(name)]


def _without(
    named: Iterable[NamedAddress], taken: Iterable[NamedAddress]
) -> list[NamedAddress]:
    """Each address once, and none of those taken."""
    seen = {n.address.key for n in taken}
    kept = []
    for one in named:
        if one.address.key not in seen:
            seen.add(one.address.key)
            kept.append(one)
    return kept


def _prefixed(prefix: str, subject: str) -> str:
    if subject.casefold().startswith(prefix.casefold()):
        return subject
    return f"{prefix} {subject}".strip()


def _attribution(message: Message) -> str:
    moment = date_format(timezone.localtime(message.received_at), "j F Y, H:i")
    return f"On {moment}, {sender_trust.named(message)} wrote:"


def _introduction(reading: Reading) -> str:
    lines = ["Forwarded message"]
    for name in ("From", "Date", "Subject", "To", "Cc"):
        people = _people(reading, name) if name in PEOPLE else ""
        value = people or lookalike.shown(reading.header.text(name))[:VALUE_LIMIT]
        if value:
            lines.append(f"{name}: {value}")
    return "\n".join(lines)


def _people(reading: Reading, name: str) -> str:
    """Everybody in the field, each with the address whole and the name fit to show."""
    named = reading.everybody(name)
    shown: list[str] = []
    room = VALUE_LIMIT
    for one in named:
        words = sender_trust.in_words(one.name[:NAME_LIMIT], str(one.address))
        room -= len(words) + 2
        if room < 0:
            return f"{', '.join(shown)} and {len(named) - len(shown)} more"
        shown.append(words)
    return ", ".join(shown)


def _own_text(reading: Reading) -> str:
    """All of the words, however many: what is written on must lose none."""
    has_text = bool(reading.text.strip())
    return reading.text if has_text else reading.as_text()


def _text(reading: Reading) -> str:
    text = reading.as_text()
    is_cut = len(text) > QUOTE_LIMIT or reading.is_cut(text)
    cut = f"\n\n{REST_LEFT_OUT}" if is_cut else ""
    return f"{text[:QUOTE_LIMIT].strip()}{cut}"


def _quoted(reading: Reading) -> str:
    lines = _text(reading).splitlines()
    return "\n".join(f">{line}" if line[:1] == ">" else f"> {line}" for line in lines)


def _whole(reading: Reading) -> Attachment:
    subject = from_title(reading.header.text("Subject")[:80]) or "message"
    return Attachment(f"{subject}.eml", "message/rfc822", reading.raw)
