"""Actions on distribution lists, their members, and who may post to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict, Unpack

from engine.mail.address import Address
from engine.registry.addresses.allocation import (
    available_key,
    check_is_reachable,
    check_no_loop,
    to_community_address,
)
from engine.registry.addresses.display_names import check_member_name
from engine.registry.addresses.list_limits import (
    check_admits_list,
    check_can_be_list,
    check_has_room,
)
from engine.registry.errors import PolicyError
from engine.registry.models import (
    Actor,
    DistributionList,
    ListMember,
    ListPoster,
    Organisation,
    Posting,
)
from engine.registry.verbs import apply, record_action, verb


class ListFields(TypedDict, total=False):
    """What may be changed about a distribution list."""

    name: str
    posting: Posting
    is_published: bool


@verb
def add(
    organisation: Organisation,
    *,
    address: str,
    by: Actor | None,
    **fields: Unpack[ListFields],
) -> DistributionList:
    """Adds an empty distribution list to an organisation. Raises PolicyError."""
    key = available_key(organisation, address)
    check_can_be_list(Address.parse(key))
    check_member_name(fields.get("name", ""), organisation)
    made = DistributionList.objects.create(
        address=key, organisation=organisation, **fields
    )
    record_action("list.added", made, dict(fields), by=by)
    return made


@verb
def edit(
    distribution_list: DistributionList,
    *,
    by: Actor | None,
    **changes: Unpack[ListFields],
) -> None:
    """Changes a list's name, posting policy or listing in the directory.

    Raises PolicyError for a misleading name.
    """
    if changes.get("name", distribution_list.name) != distribution_list.name:
        check_member_name(changes["name"], distribution_list.organisation)
    changed = apply(distribution_list, changes)
    if changed:
        record_action("list.edited", distribution_list, changed, by=by)


@verb
def suspend(
    distribution_list: DistributionList, *, reason: str, by: Actor | None
) -> None:
    """Stops a list's mail; queued mail for it is held."""
    distribution_list.is_active = False
    distribution_list.save(update_fields=["is_active"])
    record_action("list.suspended", distribution_list, reason=reason, by=by)


@verb
def resume(
    distribution_list: DistributionList, *, reason: str = "", by: Actor | None
) -> None:
    """Lets the mail of a suspended list flow again."""
    distribution_list.is_active = True
    distribution_list.save(update_fields=["is_active"])
    record_action("list.resumed", distribution_list, reason=reason, by=by)


@verb
def add_member(
    distribution_list: DistributionList, *, address: str, by: Actor | None
) -> None:
    """Adds a member, anywhere in the community; adding it again changes nothing.

    Raises PolicyError if the list is full, or the address unknown, a loop, or a list
    that does not accept this list's mail.
    """
    _add_member(distribution_list, address, by)


@verb
def add_members(
    distribution_list: DistributionList, *, addresses: Sequence[str], by: Actor | None
) -> list[str]:
    """Adds the members that it can; returns one sentence for each refused address."""
    refusals = []
    for address in addresses:
        try:
            _add_member(distribution_list, address, by)
        except PolicyError as refusal:
            refusals.append(str(refusal))
    return refusals


def _add_member(
    distribution_list: DistributionList, address: str, by: Actor | None
) -> None:
    member = to_community_address(address)
    check_has_room(distribution_list)
    check_no_loop(distribution_list.address, member.key)
    check_is_reachable(member)
    check_admits_list(distribution_list, member)
    _, is_new = ListMember.objects.get_or_create(
        distribution_list=distribution_list, address=member.key
    )
    if is_new:
        detail = {"address": member.key}
        record_action("list.member_added", distribution_list, detail, by=by)


@verb
def remove_member(
    distribution_list: DistributionList, *, address: str, by: Actor | None
) -> None:
    """Removes a member; removing it again changes nothing."""
    key = to_community_address(address).key
    deleted, _ = distribution_list.members.filter(address=key).delete()
    if deleted:
        record_action("list.member_removed", distribution_list, {"address": key}, by=by)


@verb
def add_poster(
    distribution_list: DistributionList, *, address: str, by: Actor | None
) -> None:
    """Lets an address post to the list, where posting is for named addresses.

    Raises PolicyError for an unknown address.
    """
    poster = to_community_address(address)
    check_is_reachable(poster)
    _, is_new = ListPoster.objects.get_or_create(
        distribution_list=distribution_list, address=poster.key
    )
    if is_new:
        detail = {"address": poster.key}
        record_action("list.poster_added", distribution_list, detail, by=by)


@verb
def remove_poster(
    distribution_list: DistributionList, *, address: str, by: Actor | None
) -> None:
    """Revokes an address's right to post to the list."""
    key = to_community_address(address).key
    deleted, _ = distribution_list.posters.filter(address=key).delete()
    if deleted:
        record_action("list.poster_removed", distribution_list, {"address": key}, by=by)
