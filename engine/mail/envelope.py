"""The envelope: where a message comes from and goes to, whatever its header says."""

from __future__ import annotations

from dataclasses import dataclass

from engine.mail.address import Address


@dataclass(frozen=True, slots=True)
class EnvelopeRecipient:
    """One RCPT. `original` is ORCPT and `notify` is NOTIFY, as given (RFC 3461 §4)."""

    address: Address
    original: str = ""
    notify: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One MAIL and its RCPTs; the sender of a notice is None, the null path.

    `envelope_id` is ENVID and `wants_full` RET=FULL, as given (RFC 3461 §4).
    """

    sender: Address | None
    recipients: tuple[EnvelopeRecipient, ...]
    envelope_id: str = ""
    wants_full: bool = False

    @classmethod
    def simple(cls, sender: Address | None, *recipients: Address) -> Envelope:
        return cls(sender, tuple(map(EnvelopeRecipient, recipients)))

    @property
    def addresses(self) -> tuple[Address, ...]:
        return tuple(recipient.address for recipient in self.recipients)
