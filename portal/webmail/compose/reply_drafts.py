"""Builds the drafts of replies and forwarded messages, with quoted text."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from uuid import UUID, uuid4

from django.utils import timezone
from django.utils.formats import date_format

from engine.mail import lookalike
from engine.mail.address_list import NamedAddress
from engine.mail.composer import Attachment, Picture
from engine.mail.header import HeaderBlock
from engine.mail.mime.file_names import from_title
from engine.mail.reading import as_text
from engine.mail.reading.flowed import quote
from engine.mail.reading.items import Item, Kind
from engine.storage import content
from engine.storage.models import Message
from portal.webmail import recipient_input
from portal.webmail.drafts.draft import Draft
from portal.webmail.drafts.options import Options, classification_in, options_in
from portal.webmail.mailbox import sender_trust
from portal.webmail.rendering import written_html
from portal.webmail.rendering.html_limits import TooComplexError
from portal.webmail.rendering.parsed_message import WholeMessage

# Characters of the original that are quoted.
QUOTE_LIMIT = 100_000
# Characters of HTML; of a longer message the text is quoted.
HTML_LIMIT = 300_000
# Characters of each header field, and of one name in it, above a forwarded message.
VALUE_LIMIT = 1000
NAME_LIMIT = 200
ADDRESS_FIELDS = ("From", "To", "Cc")
# Attachments forwarded one by one; each costs one to two milliseconds.
FILES_LIMIT = 100
REST_LEFT_OUT = "[The rest of the message is left out]"


def reply(
    message: Message, parsed: WholeMessage, *, own: frozenset[str], to_all: bool
) -> Draft:
    """Builds a reply to the sender, or to everyone who got the message.

    `own` are the keys of the sender's own addresses, which are left out of Cc.
    """
    to = _reply_recipients(parsed, own)
    others = [n for n in _addresses(parsed, "To", "Cc") if n.address.key not in own]
    cc = _excluding(others, to) if to_all else []
    draft = Draft(
        token=uuid4(),
        to=recipient_input.format_recipients(to),
        cc=recipient_input.format_recipients(cc),
        subject=_add_prefix("Re:", message.subject),
        text=f"\n\n{_attribution(message)}\n{quote(_text(parsed))}",
    )
    return threaded(draft, message)


def threaded(draft: Draft, message: Message) -> Draft:
    """Returns the draft as a reply in the message's thread (RFC 5322 §3.6.4)."""
    header = HeaderBlock.salvage(content.header(message))
    before = header.text("References") or header.text("In-Reply-To")
    classification = classification_in(header)
    return replace(
        draft,
        options=replace(draft.options, classification=classification),
        in_reply_to=message.message_id,
        references=f"{before} {message.message_id}",
    )


def forward(message: Message, parsed: WholeMessage, *, attached: bool) -> Draft:
    """Builds a forwarded message: quoted, or without text if it is attached as a file.

    `forwarded_files` returns the attachments that belong to it.
    """
    subject = _add_prefix("Fwd:", message.subject)
    options = Options(classification=classification_in(parsed.header))
    if attached:
        return Draft(token=uuid4(), subject=subject, options=options)
    text = f"\n\n{_forward_header(parsed)}\n\n{_text(parsed)}"
    return Draft(token=uuid4(), subject=subject, text=text, options=options)


def pictures(parsed: WholeMessage, html: str) -> list[Picture]:
    """Returns the pictures of a message that the draft made of it shows."""
    shown = written_html.content_ids(html)
    return [
        Picture(
            Attachment(part.filename or "picture", part.content_type, part.data()),
            part.content_id,
        )
        for part in parsed.reading.pictures
        if part.content_id in shown
    ]


def forwarded_files(
    parsed: WholeMessage, *, attached: bool, with_pictures: bool = True
) -> list[Attachment]:
    """Returns the files of a forwarded message, or the message itself as one.

    Pictures that its HTML embeds are among them, unless the draft shows them itself. With
    more than FILES_LIMIT files, returns the whole message, which loses none.
    """
    files = parsed.all_files if with_pictures else parsed.attachments
    if attached or len(files) > FILES_LIMIT:
        return [_as_attachment(parsed)]
    return [
        Attachment(file.name, file.part.content_type, file.part.data())
        for file in files
    ]


def reply_html(message: Message, parsed: WholeMessage) -> str:
    """Returns the message as a reply with formatting quotes it."""
    return written_html.quoted(_attribution(message), _html(parsed))


def forward_html(parsed: WholeMessage) -> str:
    """Returns the message as one forwarded with formatting quotes it."""
    first, _, fields = _forward_header(parsed).partition("\n")
    header = written_html.from_text(f"{fields}\n")
    return written_html.quoted(first, f"{header}{_html(parsed)}")


def again(parsed: WholeMessage, token: UUID, *, keeps_html: bool) -> Draft:
    """Builds a draft from a message written before, under the given token.

    `keeps_html` is False for text that was laid out elsewhere, of which styles would be
    lost: the draft is plain text then.
    """
    return Draft(
        token=token,
        to=recipient_input.format_recipients(_addresses(parsed, "To")),
        cc=recipient_input.format_recipients(_addresses(parsed, "Cc")),
        bcc=recipient_input.format_recipients(_addresses(parsed, "Bcc")),
        subject=parsed.header.text("Subject"),
        text=parsed.own_text().removesuffix("\n"),
        html=written_html.stored(parsed.html) if keeps_html and parsed.html else "",
        in_reply_to=parsed.header.text("In-Reply-To"),
        references=parsed.header.text("References"),
        options=options_in(parsed.header),
    )


def _reply_recipients(parsed: WholeMessage, own: frozenset[str]) -> list[NamedAddress]:
    wanted = _addresses(parsed, "Reply-To") or _addresses(parsed, "From")
    if all(named.address.key in own for named in wanted):
        # A reply to one's own message goes to its recipients.
        return _excluding(_addresses(parsed, "To"), []) or wanted
    return _excluding(wanted, [])


def _addresses(parsed: WholeMessage, *names: str) -> list[NamedAddress]:
    return [named for name in names for named in parsed.all_addresses(name)]


def _excluding(
    named: Iterable[NamedAddress], taken: Iterable[NamedAddress]
) -> list[NamedAddress]:
    """Returns each address once, without those in `taken`."""
    seen = {n.address.key for n in taken}
    kept = []
    for one in named:
        if one.address.key not in seen:
            seen.add(one.address.key)
            kept.append(one)
    return kept


def _add_prefix(prefix: str, subject: str) -> str:
    if subject.casefold().startswith(prefix.casefold()):
        return subject
    return f"{prefix} {subject}".strip()


def _attribution(message: Message) -> str:
    moment = date_format(timezone.localtime(message.received_at), "j F Y, H:i")
    return f"On {moment}, {sender_trust.sender_text(message)} wrote:"


def _forward_header(parsed: WholeMessage) -> str:
    lines = ["Forwarded message"]
    for name in ("From", "Date", "Subject", "To", "Cc"):
        people = _addresses_text(parsed, name) if name in ADDRESS_FIELDS else ""
        value = people or lookalike.displayable(parsed.header.text(name))[:VALUE_LIMIT]
        if value:
            lines.append(f"{name}: {value}")
    return "\n".join(lines)


def _addresses_text(parsed: WholeMessage, name: str) -> str:
    """Formats the addresses of a field, cut to VALUE_LIMIT but never inside an address."""
    named = parsed.all_addresses(name)
    shown: list[str] = []
    room = VALUE_LIMIT
    for one in named:
        words = sender_trust.address_text(one.name[:NAME_LIMIT], str(one.address))
        room -= len(words) + 2
        if room < 0:
            return f"{', '.join(shown)} and {len(named) - len(shown)} more"
        shown.append(words)
    return ", ".join(shown)


def _text(parsed: WholeMessage) -> str:
    text = parsed.whole_text()
    cut = f"\n\n{REST_LEFT_OUT}" if len(text) > QUOTE_LIMIT else ""
    return f"{text[:QUOTE_LIMIT].strip()}{cut}"


def _html(parsed: WholeMessage) -> str:
    """Returns the words of a message with their formatting, without pictures."""
    html = "".join(map(_item_html, parsed.reading.words))
    if len(html) > HTML_LIMIT:
        return written_html.from_text(_text(parsed))
    return html


def _item_html(item: Item) -> str:
    if item.kind is Kind.HTML:
        with suppress(TooComplexError):
            return written_html.sanitise(as_text.text_in(item.part), {})
    return written_html.from_text(as_text.text_of(item).strip("\n"))


def _as_attachment(parsed: WholeMessage) -> Attachment:
    subject = from_title(parsed.header.text("Subject")[:80]) or "message"
    return Attachment(f"{subject}.eml", "message/rfc822", parsed.raw)
