"""A message being written, and how it is stored in Drafts.

A draft is stored as a message in Drafts. Its attachments are stored beside it, so that
autosaving the text stays cheap. Recipients are stored as typed, in X-Draft- header
fields: half an address must survive too.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from engine.mail.address import Address, InvalidAddressError
from engine.mail.address_list import NamedAddress
from engine.mail.composer import Attachment, Picture, compose
from engine.registry.models import Mailbox
from portal.webmail import recipient_input
from portal.webmail.drafts.options import NO_OPTIONS, Options, options_in
from portal.webmail.rendering import written_html
from portal.webmail.rendering.parsed_message import parse_message

RECIPIENT_FIELDS = {"to": "X-Draft-To", "cc": "X-Draft-Cc", "bcc": "X-Draft-Bcc"}
SENDER_FIELD = "X-Draft-From"
SEND_AT_FIELD = "X-Draft-Send-At"
FOLLOW_UP_FIELD = "X-Draft-Follow-Up"
SAVE_FIELD = "X-Draft-Save"


@dataclass(frozen=True, slots=True)
class Draft:
    """The text and recipients written so far.

    `sender` is a `sender_key`, empty before one is chosen. `token` identifies the draft
    and becomes the Message-ID's local part. `version` is the id of the stored message,
    None before the first save: each save changes it, which is how a second window detects
    the first. `window` and `turn` name the page that saved it and count its saves.
    `send_at` is when to send it, as typed; `follow_up` after how many days to be reminded.
    """

    token: UUID
    sender: str = ""
    to: str = ""
    cc: str = ""
    bcc: str = ""
    subject: str = ""
    text: str = ""
    html: str = ""
    """The text with its formatting, sanitised; empty for plain text."""
    in_reply_to: str = ""
    references: str = ""
    options: Options = NO_OPTIONS
    send_at: str = ""
    follow_up: int = 0
    window: str = ""
    turn: int = 0
    version: int | None = None

    @property
    def message_id(self) -> str:
        """The Message-ID of the draft, and of the message sent from it."""
        return f"<{self.token}@{settings.POSTERN.community_domain}>"

    @property
    def is_empty(self) -> bool:
        """True if nothing was typed."""
        return not any((self.to, self.cc, self.bcc, self.subject, self.text.strip()))

    def address_of(self, mailbox: Mailbox) -> Address:
        """Returns the address that it is sent from: the mailbox's, with any detail."""
        mailbox_id, _, detail = self.sender.partition("+")
        if mailbox_id == str(mailbox.pk):
            with suppress(
                InvalidAddressError
            ):  # the mailbox may have a longer name now
                return address_with(mailbox, detail)
        return Address.parse(mailbox.address)

    def to_draft_message(self, mailbox: Mailbox) -> bytes:
        """Returns the raw message to store in Drafts."""
        typed = {name: getattr(self, field) for field, name in RECIPIENT_FIELDS.items()}
        of_draft = {
            SENDER_FIELD: self.sender,
            SEND_AT_FIELD: self.send_at,
            FOLLOW_UP_FIELD: str(self.follow_up or ""),
            SAVE_FIELD: f"{self.window} {self.turn}" if self.window else "",
        }
        kept = {name: text for name, text in {**typed, **of_draft}.items() if text}
        return self.to_message(
            mailbox,
            to=recipient_input.parse_recipients(self.to).recipients,
            cc=recipient_input.parse_recipients(self.cc).recipients,
            extra_headers=kept,
        )

    def to_message(
        self,
        mailbox: Mailbox,
        *,
        to: Sequence[NamedAddress],
        cc: Sequence[NamedAddress],
        attachments: Sequence[Attachment] = (),
        pictures: Sequence[Picture] = (),
        extra_headers: dict[str, str] | None = None,
        date: datetime | None = None,
    ) -> bytes:
        """Returns the raw message as its recipients get it, sent from `mailbox`.

        `date` is when it leaves, None for now.
        """
        own = self.address_of(mailbox)
        marks = self.options.headers(own)
        return compose(
            sender=NamedAddress(mailbox.name, own),
            to=to,
            cc=cc,
            subject=self.subject,
            text=self.text.replace("\r\n", "\n"),
            html=written_html.document(self.html) if self.html else None,
            pictures=pictures,
            attachments=attachments,
            in_reply_to=self.in_reply_to,
            references=self.references,
            extra_headers={**marks, **(extra_headers or {})},
            message_id=self.message_id,
            date=date,
        )


def number_in(text: str) -> int:
    """Returns a small number as typed or stored; 0 for other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def sender_key(mailbox: Mailbox, detail: str = "") -> str:
    """Returns what identifies a mailbox, and a detail in its address, as a sender."""
    return f"{mailbox.pk}+{detail}" if detail else str(mailbox.pk)


def address_with(mailbox: Mailbox, detail: str) -> Address:
    """Returns a mailbox's address with a detail (RFC 5233), or its own without one.

    Raises InvalidAddressError.
    """
    own = Address.parse(mailbox.address)
    return Address(f"{own.local}+{detail}", own.domain) if detail else own


def parse_draft(token: UUID, raw: bytes, version: int | None = None) -> Draft:
    """Parses a stored draft."""
    parsed = parse_message(raw)
    header = parsed.header
    window, _, turn = header.text(SAVE_FIELD).partition(" ")
    return Draft(
        token=token,
        send_at=header.text(SEND_AT_FIELD),
        follow_up=number_in(header.text(FOLLOW_UP_FIELD)),
        window=window,
        turn=number_in(turn),
        sender=header.text(SENDER_FIELD),
        subject=header.text("Subject"),
        text=parsed.own_text().removesuffix("\n"),
        html=written_html.stored(parsed.html) if parsed.html else "",
        in_reply_to=header.text("In-Reply-To"),
        references=header.text("References"),
        options=options_in(header),
        version=version,
        **{field: header.text(name) for field, name in RECIPIENT_FIELDS.items()},
    )


def draft_token(message_id: str) -> UUID | None:
    """Returns the token in the Message-ID of a draft or sent message, or None."""
    name, _, domain = message_id.strip("<>").partition("@")
    if domain != settings.POSTERN.community_domain:
        return None
    try:
        return UUID(name)
    except ValueError:
        return None
