"""A message being written, and the form in which it is kept meanwhile.

A draft is kept as a message in Drafts; its files stand beside it, so that saving the
words again costs little. What was typed for recipients is kept as typed, in fields of
its own: half an address must survive too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.composer import Attachment, compose
from engine.registry.models import Mailbox
from portal.webmail import recipient_input
from portal.webmail.rendering.parsed_message import take_apart

TYPED = {"to": "X-Draft-To", "cc": "X-Draft-Cc", "bcc": "X-Draft-Bcc"}
FROM = "X-Draft-From"


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wrote so far. The token names it, and later the sent message.

    `version` is the id of the message that keeps it, None before it was ever kept: each
    saving gives it a new one, which is how a second window notices the first.
    """

    token: UUID
    sender: str = ""
    to: str = ""
    cc: str = ""
    bcc: str = ""
    subject: str = ""
    text: str = ""
    in_reply_to: str = ""
    references: str = ""
    version: int | None = None

    @property
    def message_id(self) -> str:
        return f"<{self.token}@{settings.POSTERN.community_domain}>"

    @property
    def is_empty(self) -> bool:
        """True where nothing was typed that anybody would miss."""
        return not any((self.to, self.cc, self.bcc, self.subject, self.text.strip()))

    def as_draft(self, mailbox: Mailbox) -> bytes:
        """The message to keep in Drafts."""
        typed = {name: getattr(self, field) for field, name in TYPED.items()}
        kept = {
            name: text for name, text in {**typed, FROM: self.sender}.items() if text
        }
        return self.as_message(
            mailbox,
            to=recipient_input.read(self.to).recipients,
            cc=recipient_input.read(self.cc).recipients,
            extra_headers=kept,
        )

    def as_message(
        self,
        mailbox: Mailbox,
        *,
        to: list[NamedAddress],
        cc: list[NamedAddress],
        attachments: Sequence[Attachment] = (),
        extra_headers: dict[str, str] | None = None,
    ) -> bytes:
        """The message as recipients get it, from that mailbox."""
        return compose(
            sender=NamedAddress(mailbox.name, Address.parse(mailbox.address)),
            to=to,
            cc=cc,
            subject=self.subject,
            text=self.text.replace("\r\n", "\n"),
            attachments=attachments,
            in_reply_to=self.in_reply_to,
            references=self.references,
            extra_headers=extra_headers or {},
            message_id=self.message_id,
        )


def read_draft(token: UUID, raw: bytes, version: int | None = None) -> Draft:
    """The draft out of the message that keeps it."""
    reading = take_apart(raw)
    header = reading.header
    return Draft(
        token=token,
        sender=header.text(FROM),
        subject=header.text("Subject"),
        text=reading.text.removesuffix("\n"),
        in_reply_to=header.text("In-Reply-To"),
        references=header.text("References"),
        version=version,
        **{field: header.text(name) for field, name in TYPED.items()},
    )


def token_of(message_id: str) -> UUID | None:
    """The token of the draft that became, or is kept as, the message."""
    name, _, domain = message_id.strip("<>").partition("@")
    if domain != settings.POSTERN.community_domain:
        return None
    try:
        return UUID(name)
    except ValueError:
        return None
