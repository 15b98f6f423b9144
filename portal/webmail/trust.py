"""Who a message is from, as far as the community vouches for it."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q

from engine.mail.address import Address, InvalidAddressError
from engine.registry.models import Domain, Organisation
from engine.storage.models import FolderRole, Message


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


def _of_member(organisation: Organisation, message: Message) -> Standing:
    if organisation.pk == message.mailbox.organisation_id:
        return Standing(f"From a colleague at {organisation}.", True)
    kind = organisation.get_kind_display().lower()
    sentence = f"From {organisation} ({kind}), a member of the community."
    if organisation.is_active:
        return Standing(f"{sentence} The sender was checked on arrival.", True)
    return Standing(f"From {organisation} ({kind}), which is not active now.", False)


def _organisation(domain: str) -> Organisation | None:
    found = (
        Domain.objects.verified()
        .filter(Q(community_domain=domain) | Q(member_domain=domain))
        .select_related("organisation")
    )
    row = found.first()
    return row.organisation if row else None
