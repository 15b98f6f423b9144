"""The SMTP envelope: the sender and recipients of a message (RFC 5321 §2.3.1)."""

from __future__ import annotations

from dataclasses import dataclass

from engine.mail.address import Address


@dataclass(frozen=True, slots=True)
class EnvelopeRecipient:
    """One RCPT. `original` is ORCPT and `notify` is NOTIFY, as given (RFC 3461 §4).

    Both are empty when the client did not give them.
    """

    address: Address
    original: str = ""
    notify: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One MAIL and its RCPTs; `sender` is None for the null reverse-path of notices.

    `envelope_id` is ENVID and `wants_full` RET=FULL, as given (RFC 3461 §4).
    `requires_tls` is REQUIRETLS (RFC 8689 §2).
    """

    sender: Address | None
    recipients: tuple[EnvelopeRecipient, ...]
    envelope_id: str = ""
    wants_full: bool = False
    requires_tls: bool = False

    @classmethod
    def simple(
        cls, sender: Address | None, *recipients: Address, requires_tls: bool = False
    ) -> Envelope:
        """Returns an envelope without DSN parameters."""
        to = tuple(map(EnvelopeRecipient, recipients))
        return cls(sender, to, requires_tls=requires_tls)

    @property
    def addresses(self) -> tuple[Address, ...]:
        """The addresses of all recipients, in order."""
        return tuple(recipient.address for recipient in self.recipients)
