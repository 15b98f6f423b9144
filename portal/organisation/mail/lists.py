"""Distribution lists: whom each reaches, who may write to it, what came back."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from engine.registry.actions import lists
from engine.registry.errors import PolicyError
from engine.registry.models import DistributionList, Organisation, Posting
from engine.registry.models.distribution_list import FAILURES_TO_FLAG
from engine.registry.permissions import Permission
from portal.organisation.confirmation import switched
from portal.organisation.frame import show, visitor, within
from portal.organisation.mail.list_forms import AddressesForm, ListForm, NewListForm
from portal.ui.pagination import paged

SECTION = "lists"
REFUSALS_SHOWN = 10


@within(Permission.MANAGE_LISTS)
@require_GET
def index(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    rows = organisation.distribution_lists.annotate(
        member_count=Count("members"),
        returned_count=Count(
            "members", filter=Q(members__failures__gte=FAILURES_TO_FLAG)
        ),
    )
    context = {"page": paged(request, rows, by="name")}
    return show(request, organisation, "lists", SECTION, context)


@within(Permission.MANAGE_LISTS)
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    form = NewListForm(request.POST or None, organisation=organisation)
    made: list[DistributionList] = []

    def verb() -> None:
        made.append(lists.add(organisation, by=visitor(request), **form.cleaned_data))

    if form.submit(verb, field="address"):
        messages.success(request, f"{made[0].name} is ready. Add its members.")
        return redirect("organisation:list", organisation.pk, made[0].pk)
    return show(request, organisation, "list_add", SECTION, {"form": form})


@within(Permission.MANAGE_LISTS)
@require_http_methods(["GET", "POST"])
def members(
    request: HttpRequest, organisation: Organisation, list_id: int
) -> HttpResponse:
    """One list: its members in pages, and the form to add others."""
    found = _list(organisation, list_id)
    form = AddressesForm(request.POST or None)
    if form.is_bound and form.is_valid():
        addresses = form.cleaned_data["addresses"]
        refusals = lists.add_members(found, addresses=addresses, by=visitor(request))
        _tell(request, len(addresses) - len(refusals), refusals)
        return redirect("organisation:list", organisation.pk, found.pk)
    context = {
        "list": found,
        "form": form,
        "page": paged(request, found.members.all(), by="address"),
        "member_count": found.members.count(),
        "returned": found.members.filter(failures__gt=0).order_by("-failures")[:20],
        "posters": found.posters.order_by("address")[:200],
        "is_named": found.posting == Posting.NAMED,
    }
    return show(request, organisation, "list", SECTION, context)


@within(Permission.MANAGE_LISTS)
@require_http_methods(["GET", "POST"])
def posters(
    request: HttpRequest, organisation: Organisation, list_id: int
) -> HttpResponse:
    """Add to those who may write to a list that is for named addresses."""
    found = _list(organisation, list_id)
    form = AddressesForm(request.POST or None)

    def verb() -> None:
        for address in form.cleaned_data["addresses"]:
            lists.add_poster(found, address=address, by=visitor(request))

    if form.submit(verb, field="addresses"):
        messages.success(request, "They may now write to the list.")
        return redirect("organisation:list", organisation.pk, found.pk)
    context = {"list": found, "form": form}
    return show(request, organisation, "list_posters", SECTION, context)


@within(Permission.MANAGE_LISTS)
@require_POST
def remove(
    request: HttpRequest, organisation: Organisation, list_id: int
) -> HttpResponse:
    """Take away a member, or somebody who may write."""
    found = _list(organisation, list_id)
    address = request.POST.get("address", "")
    verb = (
        lists.remove_poster
        if request.POST.get("from") == "posters"
        else lists.remove_member
    )
    try:
        verb(found, address=address, by=visitor(request))
    except PolicyError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{address} has been removed.")
    return redirect("organisation:list", organisation.pk, found.pk)


@within(Permission.MANAGE_LISTS)
@require_http_methods(["GET", "POST"])
def edit(
    request: HttpRequest, organisation: Organisation, list_id: int
) -> HttpResponse:
    found = _list(organisation, list_id)
    form = ListForm(request.POST or None, initial=ListForm.initial_of(found))
    if form.submit(lambda: lists.edit(found, by=visitor(request), **form.cleaned_data)):
        messages.success(request, f"{found.name} has been saved.")
        return redirect("organisation:list", organisation.pk, found.pk)
    context = {"list": found, "form": form}
    return show(request, organisation, "list_edit", SECTION, context)


@within(Permission.MANAGE_LISTS)
@require_http_methods(["GET", "POST"])
def switch(
    request: HttpRequest, organisation: Organisation, list_id: int
) -> HttpResponse:
    """Suspend the list, or let its mail flow again."""
    found = _list(organisation, list_id)
    return switched(
        request,
        organisation,
        found,
        lists,
        page="list",
        section=SECTION,
        suspending="Mail to it is held or refused until you resume it.",
        resuming="People can write to it again, and mail that was held is sent on.",
    )


def _tell(request: HttpRequest, added: int, refusals: list[str]) -> None:
    if added:
        messages.success(
            request, f"{added} addresses are members." if added > 1 else "Added."
        )
    for refusal in refusals[:REFUSALS_SHOWN]:
        messages.error(request, refusal)
    if len(refusals) > REFUSALS_SHOWN:
        more = len(refusals) - REFUSALS_SHOWN
        messages.error(request, f"{more} more could not be added.")


def _list(organisation: Organisation, list_id: int) -> DistributionList:
    found = organisation.distribution_lists.filter(pk=list_id).first()
    if found is None:
        raise Http404
    return found
