"""Ways back into an account: another address, and what waits for a second person."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from engine.registry.actions import recovery as verbs
from engine.registry.credentials import account_recovery
from engine.registry.models import Organisation
from engine.registry.permissions import Permission
from portal.account_admin import approvals
from portal.organisation.frame import changeable_person, show, visitor, within
from portal.organisation.people.forms import NewAddressForm
from portal.ui.forms import ReasonForm


@within(Permission.MANAGE_PEOPLE)
@require_GET
def index(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    context = {"waiting": approvals.all_waiting(organisation)}
    return show(request, organisation, "approvals", "people", context)


@within(Permission.MANAGE_PEOPLE)
@require_http_methods(["GET", "POST"])
def address(
    request: HttpRequest, organisation: Organisation, person_id: int
) -> HttpResponse:
    """Ask for another everyday address for somebody else's account."""
    person = changeable_person(request, organisation, person_id)
    form = NewAddressForm(request.POST if request.method == "POST" else None)

    def verb() -> None:
        verbs.request_address_change(person, by=visitor(request), **form.cleaned_data)

    if form.submit(verb):
        is_waiting = account_recovery.pending_change(person) is not None
        messages.success(
            request,
            f"{person.name} and your administrators have been told. The address "
            "changes when the time for a refusal has passed."
            if is_waiting
            else f"The everyday address of {person.name} is set.",
        )
        return redirect("organisation:person", organisation.pk, person.pk)
    context = {
        "person": person,
        "form": form,
        "hours": account_recovery.recovery_delay().total_seconds() // 3600,
        "is_untouched": account_recovery.is_unused(person),
    }
    return show(request, organisation, "person_address", "people", context)


@within(Permission.MANAGE_PEOPLE)
@require_http_methods(["GET", "POST"])
def settle(
    request: HttpRequest, organisation: Organisation, kind: str, pk: int, act: str
) -> HttpResponse:
    """Agree to what waits, as a second person, or stop it."""
    wait = approvals.find(kind, pk)
    if wait.organisation != organisation:
        raise Http404
    if wait.person is not None:
        changeable_person(request, organisation, wait.person.pk)
    chosen = approvals.act_of(act)
    words = wait.words(chosen)
    form = ReasonForm(request.POST if request.method == "POST" else None)

    def verb() -> None:
        reason = form.cleaned_data["reason"]
        approvals.carry_out(wait, chosen, reason=reason, by=visitor(request))

    if form.submit(verb):
        messages.success(request, words.done)
        return redirect("organisation:recovery", organisation.pk)
    context = {
        "form": form,
        "caption": wait.person.address if wait.person else wait.name,
        "title": words.title,
        "text": words.text,
        "button": words.button,
        "is_warning": True,
    }
    return show(request, organisation, "confirm", "people", context)
