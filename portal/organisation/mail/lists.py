"""Distribution lists: their members, posters, and members who cannot be reached."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from engine.registry.actions import lists
from engine.registry.errors import PolicyError
from engine.registry.models import DistributionList, ListMember, Organisation, Posting
from engine.registry.models.distribution_list import FAILURES_TO_FLAG
from engine.registry.permissions import Permission
from portal.organisation.confirmation import confirmed_view
from portal.organisation.frame import organisation_view, render_section
from portal.organisation.mail.list_forms import AddressesForm, ListForm, NewListForm
from portal.ui.forms import post_data
from portal.ui.pagination import count_of, paginate
from portal.ui.suspension import suspension
from portal.ui.visitor import signed_in_person

SECTION = "lists"
LISTS = organisation_view(Permission.MANAGE_LISTS)
REFUSALS_SHOWN = 10


@LISTS
@require_GET
def index(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """The organisation's distribution lists."""
    members = ListMember.objects.all()
    rows = organisation.distribution_lists.annotate(
        member_count=count_of(members, "distribution_list"),
        returned_count=count_of(
            members.filter(failures__gte=FAILURES_TO_FLAG), "distribution_list"
        ),
    )
    context = {"page": paginate(request, rows, by="name")}
    return render_section(request, organisation, "lists", SECTION, context)


@LISTS
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """Adds a distribution list."""
    form = NewListForm(post_data(request), organisation=organisation)
    added: list[DistributionList] = []

    def run() -> None:
        added.append(
            lists.add(organisation, by=signed_in_person(request), **form.cleaned_data)
        )

    if form.submit(run, field="address"):
        messages.success(request, f"{added[0].name} is ready. Add its members.")
        return redirect(_url(added[0]))
    return render_section(request, organisation, "list_add", SECTION, {"form": form})


@LISTS
@require_http_methods(["GET", "POST"])
def members(
    request: HttpRequest, organisation: Organisation, list_id: int
) -> HttpResponse:
    """One list with its members, and the form to add more."""
    found = _find(organisation, list_id)
    form = AddressesForm(post_data(request))
    if form.is_bound and form.is_valid():
        addresses = form.cleaned_data["addresses"]
        refusals = lists.add_members(
            found, addresses=addresses, by=signed_in_person(request)
        )
        _report(request, len(addresses) - len(refusals), refusals)
        return redirect(_url(found))
    context = {
        "list": found,
        "form": form,
        "page": paginate(request, found.members.all(), by="address"),
        "member_count": found.members.count(),
        "returned": found.members.filter(failures__gt=0).order_by("-failures")[:20],
        "posters": found.posters.order_by("address")[:200],
        "is_named": found.posting == Posting.NAMED,
    }
    return render_section(request, organisation, "list", SECTION, context)


@LISTS
@require_http_methods(["GET", "POST"])
def posters(
    request: HttpRequest, organisation: Organisation, list_id: int
) -> HttpResponse:
    """Adds posters to a list that only named addresses may write to."""
    found = _find(organisation, list_id)
    form = AddressesForm(post_data(request))

    def run() -> None:
        for address in form.cleaned_data["addresses"]:
            lists.add_poster(found, address=address, by=signed_in_person(request))

    if form.submit(run, field="addresses"):
        messages.success(request, "They may now write to the list.")
        return redirect(_url(found))
    context = {"list": found, "form": form}
    return render_section(request, organisation, "list_posters", SECTION, context)


@LISTS
@require_POST
def remove(
    request: HttpRequest, organisation: Organisation, list_id: int
) -> HttpResponse:
    """Removes a member or a poster."""
    found = _find(organisation, list_id)
    address = request.POST.get("address", "")
    remove_address = (
        lists.remove_poster
        if request.POST.get("from") == "posters"
        else lists.remove_member
    )
    try:
        remove_address(found, address=address, by=signed_in_person(request))
    except PolicyError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{address} has been removed.")
    return redirect(_url(found))


@LISTS
@require_http_methods(["GET", "POST"])
def edit(
    request: HttpRequest, organisation: Organisation, list_id: int
) -> HttpResponse:
    """Changes a list's name, posting rule and visibility."""
    found = _find(organisation, list_id)
    form = ListForm(post_data(request), initial=ListForm.initial_of(found))
    if form.submit(
        lambda: lists.edit(found, by=signed_in_person(request), **form.cleaned_data)
    ):
        messages.success(request, f"{found.name} has been saved.")
        return redirect(_url(found))
    context = {"list": found, "form": form}
    return render_section(request, organisation, "list_edit", SECTION, context)


def _report(request: HttpRequest, added: int, refusals: list[str]) -> None:
    if added:
        messages.success(
            request, f"{added} addresses are members." if added > 1 else "Added."
        )
    for refusal in refusals[:REFUSALS_SHOWN]:
        messages.error(request, refusal)
    if len(refusals) > REFUSALS_SHOWN:
        more = len(refusals) - REFUSALS_SHOWN
        messages.error(request, f"{more} more could not be added.")


def _find(organisation: Organisation, list_id: int) -> DistributionList:
    found = organisation.distribution_lists.filter(pk=list_id).first()
    if found is None:
        raise Http404
    return found


def _url(found: DistributionList) -> str:
    return reverse("organisation:list", args=[found.organisation_id, found.pk])


switch = confirmed_view(
    LISTS,
    SECTION,
    _find,
    suspension(
        lists,
        suspend_text="Mail to it is held or refused until you resume it.",
        resume_text="People can write to it again, and mail that was held is sent on.",
    ),
    back=lambda found, by: _url(found),
)
