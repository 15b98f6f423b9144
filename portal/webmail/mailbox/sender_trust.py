"""Who a message is from, as far as the community vouches for it."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q

from engine.mail import lookalike
from engine.mail.address import Address, InvalidAddressError
from engine.registry.addresses import known_senders
from engine.registry.models import Domain, Organisation
from engine.storage.models import FolderRole, Message

NOBODY = "Unknown sender"


@dataclass(frozen=True, slots=True)
class Standing:
    """A sentence about the sender, and whether there is reason to be careful."""

    sentence: str
    is_known: bool


def standing(message: Message) -> Standing | None:
    """What we know of the sender; None for what was written here."""
    if message.is_draft or message.folder.role == FolderRole.SENT:
        return None
    try:
        sender = Address.parse(message.from_address)
    except InvalidAddressError:
        return Standing("The sender gave no address that could be checked.", False)
    if sender.domain == settings.POSTERN.community_domain:
        return Standing("From the people who run this service.", True)
    organisation = _organisation(sender.domain)
    if organisation is None:
        return Standing("This address belongs to no member of the community.", False)
    return _of_member(organisation, message)


def named(message: Message) -> str:
    """The sender in a line of text: never by the name alone, which anybody may choose."""
    return in_words(message.from_name, message.from_address) or NOBODY


def in_words(name: str, address: str) -> str:
    """A person in a line of text, "Jane Jones <jane@firm.example>"; empty for nobody."""
    shown = lookalike.shown(name)
    if not address or shown == address:
        return shown
    return f"{shown} <{address}>" if shown else address


def _of_member(organisation: Organisation, message: Message) -> Standing:
    listed = _listed(message)
    if organisation.pk == message.mailbox.organisation_id:
        return Standing(f"From a colleague at {organisation}.{listed}", True)
    kind = organisation.get_kind_display().lower()
    sentence = f"From {organisation} ({kind}), a member of the community."
    if organisation.is_active:
        return Standing(f"{sentence} The sender was checked on arrival.{listed}", True)
    return Standing(f"From {organisation} ({kind}), which is not active now.", False)


def _listed(message: Message) -> str:
    """What the directory calls the sender, where it is not what they call themselves."""
    known = known_senders.known_senders([message.from_address])
    name = known[message.from_address].name
    if not name or set(lookalike.words(name)) == set(
        lookalike.words(message.from_name)
    ):
        return ""
    return f" The directory lists this address as {name}."


def _organisation(domain: str) -> Organisation | None:
    found = (
        Domain.objects.verified()
        .filter(Q(community_domain=domain) | Q(member_domain=domain))
        .select_related("organisation")
    )
    row = found.first()
    return row.organisation if row else None
