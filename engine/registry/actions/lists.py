from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict, Unpack

from engine.audit.record import record
from engine.mail.address import Address
from engine.registry.actor import Actor
from engine.registry.addresses import check_is_reachable, claimed, in_community
from engine.registry.display_names import check_can_bear
from engine.registry.errors import PolicyError
from engine.registry.list_checks import (
    check_admits_list,
    check_can_be_list,
    check_has_room,
)
from engine.registry.loops import check_no_loop
from engine.registry.models import (
    DistributionList,
    ListMember,
    ListPoster,
    Organisation,
    Posting,
)
from engine.registry.verbs import apply, verb


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
    """Add an empty distribution list to an organisation."""
    key = claimed(organisation, address)
    check_can_be_list(Address.parse(key))
    check_can_bear(fields.get("name", ""), organisation)
    made = DistributionList.objects.create(
        address=key, organisation=organisation, **fields
    )
    _record("list.added", made, dict(fields), by=by)
    return made


@verb
def edit(
    distribution_list: DistributionList,
    *,
    by: Actor | None,
    **changes: Unpack[ListFields],
) -> None:
    """Change a list's name, posting policy or place in the directory."""
    if changes.get("name", distribution_list.name) != distribution_list.name:
        check_can_bear(changes["name"], distribution_list.organisation)
    changed = apply(distribution_list, changes)
    if changed:
        _record("list.edited", distribution_list, changed, by=by)


@verb
def suspend(
    distribution_list: DistributionList, *, reason: str, by: Actor | None
) -> None:
    """Stop a list's mail; what is queued for it is held."""
    distribution_list.is_active = False
    distribution_list.save(update_fields=["is_active"])
    _record("list.suspended", distribution_list, {"reason": reason}, by=by)


@verb
def resume(
    distribution_list: DistributionList, *, reason: str = "", by: Actor | None
) -> None:
    """Let a suspended list's mail flow again."""
    distribution_list.is_active = True
    distribution_list.save(update_fields=["is_active"])
    _record(
        "list.resumed", distribution_list, {"reason": reason} if reason else None, by=by
    )


@verb
def add_member(
    distribution_list: DistributionList, *, address: str, by: Actor | None
) -> None:
    """Let the list reach an address anywhere in the community."""
    _add_member(distribution_list, address, by)


@verb
def add_members(
    distribution_list: DistributionList, *, addresses: Sequence[str], by: Actor | None
) -> list[str]:
    """Add whom it can, and return for each of the others the sentence that says why."""
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
    member = in_community(address)
    check_has_room(distribution_list)
    check_no_loop(distribution_list.address, member.key)
    check_is_reachable(member)
    check_admits_list(distribution_list, member)
    _, is_new = ListMember.objects.get_or_create(
        distribution_list=distribution_list, address=member.key
    )
    if is_new:
        detail = {"address": member.key}
        _record("list.member_added", distribution_list, detail, by=by)


@verb
def remove_member(
    distribution_list: DistributionList, *, address: str, by: Actor | None
) -> None:
    """Stop the list from reaching an address."""
    key = in_community(address).key
    gone, _ = distribution_list.members.filter(address=key).delete()
    if gone:
        _record("list.member_removed", distribution_list, {"address": key}, by=by)


@verb
def add_poster(
    distribution_list: DistributionList, *, address: str, by: Actor | None
) -> None:
    """Let an address write to the list, where posting is for named addresses."""
    poster = in_community(address)
    check_is_reachable(poster)
    _, is_new = ListPoster.objects.get_or_create(
        distribution_list=distribution_list, address=poster.key
    )
    if is_new:
        detail = {"address": poster.key}
        _record("list.poster_added", distribution_list, detail, by=by)


@verb
def remove_poster(
    distribution_list: DistributionList, *, address: str, by: Actor | None
) -> None:
    """Take the right to write to the list away from an address."""
    key = in_community(address).key
    gone, _ = distribution_list.posters.filter(address=key).delete()
    if gone:
        _record("list.poster_removed", distribution_list, {"address": key}, by=by)


def _record(
    event: str,
    distribution_list: DistributionList,
    detail: Mapping[str, object] | None = None,
    *,
    by: Actor | None,
) -> None:
    record(
        event,
        distribution_list,
        organisation_key=distribution_list.organisation_id,
        detail=detail,
        by=by,
    )
