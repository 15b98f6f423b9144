"""The page of each kind of directory entry. Hidden entries answer 404."""

from __future__ import annotations

from typing import cast

from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from engine.registry import directory, permissions
from engine.registry.directory import Entry, EntryKind
from engine.registry.models import (
    DistributionList,
    Domain,
    Mailbox,
    Organisation,
    Person,
    Posting,
)
from engine.registry.permissions import Permission
from engine.registry.permissions.view_guards import requires
from portal.directory.result_card import can_write_here, card, cards

MEMBERS_SHOWN = 200


@requires(Permission.SEARCH_DIRECTORY)
@require_safe
def person(request: HttpRequest, person_id: int) -> HttpResponse:
    """Shows a person."""
    return _page(request, _entry(request, EntryKind.PERSON, person_id))


@requires(Permission.SEARCH_DIRECTORY)
@require_safe
def group_mailbox(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Shows a group mailbox."""
    return _page(request, _entry(request, EntryKind.GROUP_MAILBOX, mailbox_id))


@requires(Permission.SEARCH_DIRECTORY)
@require_safe
def organisation(request: HttpRequest, organisation_id: int) -> HttpResponse:
    """Shows an organisation and the first page of the entries it publishes."""
    entry = _entry(request, EntryKind.ORGANISATION, organisation_id)
    found = directory.search(
        "",
        viewer=request.user,
        kinds=[EntryKind.PERSON, EntryKind.LIST, EntryKind.GROUP_MAILBOX],
        organisation=entry.id,
        after=request.GET.get("after"),
    )
    domains = Domain.objects.verified().filter(organisation_id=entry.id)
    context = {
        "entry": entry,
        "page": found,
        "cards": cards(found.entries, request.user),
        "domains": list(domains.values_list("community_domain", flat=True)),
        "counted": directory.COUNTED,
        "next": found.next and f"?after={found.next}",
        "first": request.path if request.GET.get("after") else "",
    }
    return render(request, "directory/organisation.html", context)


@requires(Permission.SEARCH_DIRECTORY)
@require_safe
def distribution_list(request: HttpRequest, list_id: int) -> HttpResponse:
    """Shows a list: who may post, its size, and its members if visible."""
    entry = _entry(request, EntryKind.LIST, list_id)
    row = DistributionList.objects.select_related("organisation").get(pk=entry.id)
    viewer = cast(Person, request.user)
    members = row.members.order_by("address")
    is_own = _can_see_members(viewer, row)
    return _page(
        request,
        entry,
        posting=posting_sentence(row),
        member_count=members.count(),
        sees_members=is_own,
        members=_shown_members(row, viewer) if is_own else [],
    )


def posting_sentence(row: DistributionList) -> str:
    """Returns who may post to a distribution list, as a sentence."""
    sentences = {
        Posting.MEMBERS: "Only its members may write to this list.",
        Posting.ORGANISATION: f"Everyone in {row.organisation} may write to this list.",
        Posting.COMMUNITY: "Everyone in the community may write to this list.",
        Posting.NAMED: "Only the people its owner has named may write to this list.",
    }
    return sentences[Posting(row.posting)]


def _can_see_members(viewer: Person, row: DistributionList) -> bool:
    """True for members, and for administrators of the list's organisation."""
    is_member = row.members.filter(address=viewer.address).exists()
    return is_member or _administers(viewer, row.organisation)


def _shown_members(row: DistributionList, viewer: Person) -> list[str]:
    """Returns the members' addresses without unpublished ones, at most MEMBERS_SHOWN.

    Administrators also see the unpublished entries of their own organisation, and
    everyone sees themselves.
    """
    people = Person.objects.filter(
        Q(is_ex_directory=True) | Q(mailbox__is_published=False)
    ).exclude(pk=viewer.pk)
    teams = Mailbox.objects.filter(owner=None, is_published=False)
    lists = DistributionList.objects.filter(is_published=False)
    is_own = _administers(viewer, row.organisation)
    shown = row.members.all()
    for hidden in (people, teams, lists):
        if is_own:
            hidden = hidden.exclude(organisation=row.organisation)
        # Asked of each address that is shown, rather than of everyone who is hidden.
        own = hidden.filter(address=OuterRef("address"))
        shown = shown.filter(~Exists(own))
    return list(
        shown.order_by("address").values_list("address", flat=True)[:MEMBERS_SHOWN]
    )


def _administers(viewer: Person, organisation: Organisation) -> bool:
    return permissions.can(viewer, Permission.MANAGE_LISTS, organisation=organisation)


def _entry(request: HttpRequest, kind: EntryKind, row_id: int) -> Entry:
    found = directory.find(kind, row_id, viewer=request.user)
    if found is None:
        raise Http404
    return found


def _page(request: HttpRequest, entry: Entry, **facts: object) -> HttpResponse:
    one = card(entry, writes_here=can_write_here(request.user))
    context = {"entry": entry, "card": one, **facts}
    return render(request, "directory/entry.html", context)
