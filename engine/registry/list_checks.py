"""What a distribution list may be called, and whom it may reach."""

from __future__ import annotations

from engine.mail.address import Address
from engine.registry.addresses import check_is_free
from engine.registry.bounces import NAME_OCTETS, bounce_address
from engine.registry.errors import PolicyError
from engine.registry.models import DistributionList, Posting

# Each message makes a row for every member, in one transaction.
MEMBER_LIMIT = 5000


def check_can_be_list(address: Address) -> None:
    """Raise PolicyError unless a list may have the address, and its bounce address."""
    if len(address.local.encode()) > NAME_OCTETS:
        raise PolicyError(
            f"The part before the @ of a list may have up to {NAME_OCTETS} letters."
        )
    check_is_free(bounce_address(address))


def check_has_room(distribution_list: DistributionList) -> None:
    """Raise PolicyError where the list has as many members as it may have."""
    if distribution_list.members.count() >= MEMBER_LIMIT:
        raise PolicyError(
            f"A list may have up to {MEMBER_LIMIT} members. "
            "Divide it, and make the parts members of one list."
        )


def check_admits_list(distribution_list: DistributionList, member: Address) -> None:
    """Raise PolicyError for a list that would let in whom its posting keeps out."""
    inner = (
        DistributionList.objects.filter(address=member.key)
        .exclude(organisation=distribution_list.organisation)
        .exclude(posting=Posting.COMMUNITY)
        .exclude(posting=Posting.NAMED, posters__address=distribution_list.address)
        .first()
    )
    if inner is not None:
        raise PolicyError(f"{inner} does not take mail from {distribution_list}.")
