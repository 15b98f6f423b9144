"""How far the community vouches for the sender of a message."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from engine.mail import lookalike
from engine.mail.address import Address, InvalidAddressError
from engine.registry.addresses import known_senders
from engine.registry.addresses.known_senders import Correspondents
from engine.registry.models import Organisation
from engine.storage.models import FolderRole, Message

UNKNOWN_SENDER = "Unknown sender"


@dataclass(frozen=True, slots=True)
class SenderTrust:
    """A sentence about the sender, and whether the sender is known."""

    sentence: str
    is_known: bool


def assess_sender(
    message: Message, known: Correspondents | None = None
) -> SenderTrust | None:
    """Returns what the registry knows of the sender; None for messages written here.

    `known` is what was looked up of this sender already; otherwise one query.
    """
    if message.is_draft or message.folder.role == FolderRole.SENT:
        return None
    try:
        sender = Address.parse(message.from_address)
    except InvalidAddressError:
        return SenderTrust("The sender gave no address that could be checked.", False)
    if sender.domain == settings.POSTERN.community_domain:
        return SenderTrust("From the people who run this service.", True)
    written = message.from_address
    known = known or known_senders.look_up([], named=written)
    organisation = known.members.get(written)
    if organisation is None:
        return SenderTrust("This address belongs to no member of the community.", False)
    listed = _directory_name(known.names.get(sender.key, ""), message)
    return _assess_member(organisation, message, listed)


def sender_text(message: Message) -> str:
    """Returns the sender as text, with the address: anyone may choose any display name."""
    return address_text(message.from_name, message.from_address) or UNKNOWN_SENDER


def address_text(name: str, address: str) -> str:
    """Formats a person as "Jane Jones <jane@firm.example>"; empty without either."""
    shown = lookalike.displayable(name)
    if not address or shown == address:
        return shown
    return f"{shown} <{address}>" if shown else address


def _assess_member(
    organisation: Organisation, message: Message, listed: str
) -> SenderTrust:
    if organisation.pk == message.mailbox.organisation_id:
        return SenderTrust(f"From a colleague at {organisation}.{listed}", True)
    kind = organisation.get_kind_display().lower()
    sentence = f"From {organisation} ({kind}), a member of the community."
    if organisation.is_active:
        return SenderTrust(
            f"{sentence} The sender was checked on arrival.{listed}", True
        )
    return SenderTrust(f"From {organisation} ({kind}), which is not active now.", False)


def _directory_name(name: str, message: Message) -> str:
    """Returns a sentence if the directory's name is not the display name."""
    if not name or set(lookalike.word_skeletons(name)) == set(
        lookalike.word_skeletons(message.from_name)
    ):
        return ""
    return f" The directory lists this address as {name}."
