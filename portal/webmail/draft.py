"""A message being written, and the form in which it is kept meanwhile.

A draft is kept as a message in Drafts, so that its files and its text stay together.
What was typed for recipients is kept as typed, in fields of its own: half an address
must survive too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from django.conf import settings

from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.composer import Attachment, compose
from engine.mail.header import HeaderBlock
from engine.registry.models import Mailbox
from portal.webmail import recipients
from portal.webmail.reading import take_apart

TYPED = {"to": "X-Draft-To", "cc": "X-Draft-Cc", "bcc": "X-Draft-Bcc"}
FROM = "X-Draft-From"


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wrote so far. The token names it, and later the sent message."""

    token: UUID
    sender: str = ""
    to: str = ""
    cc: str = ""
    bcc: str = ""
    subject: str = ""
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    in_reply_to: str = ""
    references: str = ""

    @property
    def message_id(self) -> str:
        return f"<{self.token}@{settings.POSTERN.community_domain}>"

    @property
    def size(self) -> int:
        """Octets of all files together."""
        return sum(len(attachment.data) for attachment in self.attachments)

    def with_files(self, files: Iterable[Attachment]) -> Draft:
        return replace(self, attachments=(*self.attachments, *files))

    def without_file(self, index: int) -> Draft:
        """Without the file at that place; unchanged where there is none."""
        kept = [a for i, a in enumerate(self.attachments) if i != index]
        return replace(self, attachments=tuple(kept))

    def as_draft(self, mailbox: Mailbox) -> bytes:
        """The message to keep in Drafts."""
        typed = {name: getattr(self, field) for field, name in TYPED.items()}
        kept = {
            name: text for name, text in {**typed, FROM: self.sender}.items() if text
        }
        return self.as_message(
            mailbox,
            to=recipients.read(self.to).recipients,
            cc=recipients.read(self.cc).recipients,
            extra_headers=kept,
        )

    def as_message(
        self,
        mailbox: Mailbox,
        *,
        to: list[NamedAddress],
        cc: list[NamedAddress],
        extra_headers: dict[str, str] | None = None,
    ) -> bytes:
        """The message as recipients get it, from that mailbox."""
        return compose(
            sender=NamedAddress(mailbox.name, Address.parse(mailbox.address)),
            to=to,
            cc=cc,
            subject=self.subject,
            text=self.text.replace("\r\n", "\n"),
            attachments=list(self.attachments),
            in_reply_to=self.in_reply_to,
            references=self.references,
            extra_headers=extra_headers or {},
            message_id=self.message_id,
        )


def read_draft(token: UUID, raw: bytes) -> Draft:
    """The draft out of the message that keeps it."""
    reading = take_apart(raw)
    header = reading.header
    return Draft(
        token=token,
        sender=header.text(FROM),
        subject=header.text("Subject"),
        text=reading.text.removesuffix("\n"),
        attachments=tuple(
            Attachment(shown.name, part.content_type, part.data())
            for shown, part in zip(reading.attachments, reading.parts, strict=True)
        ),
        in_reply_to=header.text("In-Reply-To"),
        references=header.text("References"),
        **_typed(header),
    )


def _typed(header: HeaderBlock) -> dict[str, str]:
    return {field: header.text(name) for field, name in TYPED.items()}
