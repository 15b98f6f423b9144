"""Findings of the check before sending: a code, a sentence, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from engine.mail.address import Address


class Code(StrEnum):
    """What was found, for programs. Sentences may change; codes do not."""

    RECIPIENT_REFUSED = "recipient_refused"
    RECIPIENT_SUSPENDED = "recipient_suspended"
    NEW_RECIPIENT = "new_recipient"
    SAME_NAME = "same_name"
    OTHER_NAME = "other_name"
    OTHER_ORGANISATION = "other_organisation"
    OUT_OF_OFFICE = "out_of_office"
    MAILBOX_FULL = "mailbox_full"
    OTHERS_ANSWERING = "others_answering"
    MANY_VISIBLE = "many_visible"
    MANY_RECIPIENTS = "many_recipients"
    NO_SUBJECT = "no_subject"
    NO_ATTACHMENT = "no_attachment"
    ATTACHMENT_REFUSED = "attachment_refused"
    LARGE_MESSAGE = "large_message"
    TOO_LARGE = "too_large"


# What no confirmation sends: the message would be refused.
BLOCKING = frozenset(
    [
        Code.RECIPIENT_REFUSED,
        Code.RECIPIENT_SUSPENDED,
        Code.ATTACHMENT_REFUSED,
        Code.TOO_LARGE,
    ]
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at. `advice` says how it is mended.

    `address` is the recipient that it is about, if it is about one; `others` are the
    addresses of other people who may have been meant.
    """

    code: Code
    sentence: str
    advice: str
    address: Address | None = None
    name: str = ""
    others: Sequence[tuple[str, str]] = ()

    @property
    def key(self) -> str:
        """Identifies the finding, so that a sender confirms what was shown, no more."""
        return f"{self.code}:{self.address.key}" if self.address else str(self.code)

    @property
    def blocks(self) -> bool:
        """True where sending would be refused."""
        return self.code in BLOCKING
