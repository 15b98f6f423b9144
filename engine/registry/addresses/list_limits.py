"""Rules for distribution lists: their address, their size, and lists within lists."""

from __future__ import annotations

from engine.mail.address import Address
from engine.registry.addresses.allocation import (
    LIST_NAME_OCTETS,
    bounce_address,
    check_is_free,
)
from engine.registry.errors import PolicyError
from engine.registry.models import DistributionList, Posting

# Each message to a list writes a row for every member, in one transaction.
MEMBER_LIMIT = 5000


def check_can_be_list(address: Address) -> None:
    """Raises PolicyError unless a list may have the address, and its bounce address."""
    if len(address.local.encode()) > LIST_NAME_OCTETS:
        raise PolicyError(
            f"The part before the @ of a list may have up to {LIST_NAME_OCTETS} letters."
        )
    check_is_free(bounce_address(address))


def check_has_room(distribution_list: DistributionList) -> None:
    """Raises PolicyError if the list has as many members as a list may have."""
    if distribution_list.members.count() >= MEMBER_LIMIT:
        raise PolicyError(
            f"A list may have up to {MEMBER_LIMIT} members. "
            "Divide it into smaller lists, and make those the members."
        )


def check_admits_list(distribution_list: DistributionList, member: Address) -> None:
    """Raises PolicyError if the member is a list that does not accept this list's mail.

    Otherwise anyone who may post to the outer list could reach the inner one past its
    posting policy.
    """
    inner = (
        DistributionList.objects.filter(address=member.key)
        .exclude(organisation=distribution_list.organisation)
        .exclude(posting=Posting.COMMUNITY)
        .exclude(posting=Posting.NAMED, posters__address=distribution_list.address)
        .first()
    )
    if inner is not None:
        raise PolicyError(
            f"{inner} does not accept mail from {distribution_list}. "
            "Ask its administrator to add that list as a poster."
        )
