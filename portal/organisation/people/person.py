"""One person: who they are, and every change that an administrator may make."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from engine.registry import permissions
from engine.registry.actions import people, roles
from engine.registry.models import Grant, Organisation, RoleName
from engine.registry.permissions import Permission
from onboarding.first_sign_in.policies import can_print_first_letter
from portal.account_admin import approvals, policies
from portal.organisation import attention
from portal.organisation.confirmation import confirmed, is_overtaken, sure
from portal.organisation.frame import (
    changeable_person,
    person_in,
    show,
    visitor,
    within,
)
from portal.organisation.people.forms import PersonForm
from portal.ui.forms import ReasonForm


@within(Permission.MANAGE_PEOPLE)
@require_GET
def index(
    request: HttpRequest, organisation: Organisation, person_id: int
) -> HttpResponse:
    person = person_in(organisation, person_id)
    by = visitor(request)
    missing = attention.without_second_factor(organisation).filter(pk=person.pk)
    context = {
        "person": person,
        "is_administrator": policies.administers(person, organisation),
        "grants": Grant.objects.filter(person=person).select_related("mailbox"),
        "has_second_factor": person.is_active and not missing.exists(),
        "may_get_sign_in": policies.may_get_sign_in(person),
        "may_change": policies.may_change(person, by=by),
        "may_give_roles": permissions.can(
            by, Permission.MANAGE_ROLES, organisation=organisation
        ),
        "is_self": person.pk == by.pk,
        "waiting": approvals.of_person(person),
        "may_print_letter": can_print_first_letter(person),
    }
    return show(request, organisation, "person", "people", context)


@within(Permission.MANAGE_PEOPLE)
@require_http_methods(["GET", "POST"])
def edit(
    request: HttpRequest, organisation: Organisation, person_id: int
) -> HttpResponse:
    person = changeable_person(request, organisation, person_id)
    form = PersonForm(request.POST or None, initial=PersonForm.initial_of(person))
    if form.submit(lambda: people.edit(person, by=visitor(request), **form.details)):
        messages.success(request, f"The details of {person.name} have been saved.")
        return redirect("organisation:person", organisation.pk, person.pk)
    context = {"person": person, "form": form}
    return show(request, organisation, "person_edit", "people", context)


@within(Permission.MANAGE_PEOPLE)
@require_http_methods(["GET", "POST"])
def suspend(
    request: HttpRequest, organisation: Organisation, person_id: int
) -> HttpResponse:
    person = changeable_person(request, organisation, person_id)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    return confirmed(
        request,
        organisation,
        person,
        form,
        lambda: people.suspend(
            person, reason=form.cleaned_data["reason"], by=visitor(request)
        ),
        title=f"Suspend {person.name}",
        text="They are signed out everywhere, their app passwords end, and they can no "
        "longer sign in. Mail to and from them is held or refused until you resume the "
        "account. Nothing is deleted.",
        button="Suspend",
        is_warning=True,
        done=f"{person.name} is suspended.",
    )


@within(Permission.MANAGE_PEOPLE)
@require_http_methods(["GET", "POST"])
def resume(
    request: HttpRequest, organisation: Organisation, person_id: int
) -> HttpResponse:
    person = changeable_person(request, organisation, person_id)
    return confirmed(
        request,
        organisation,
        person,
        sure(request),
        lambda: people.resume(person, by=visitor(request)),
        title=f"Resume the account of {person.name}",
        text="They can sign in again, and mail that was held is delivered. Their mail "
        "programs need new app passwords.",
        button="Resume",
        done=f"{person.name} can use the service again.",
    )


@within(Permission.MANAGE_ROLES)
@require_http_methods(["GET", "POST"])
def role(
    request: HttpRequest, organisation: Organisation, person_id: int
) -> HttpResponse:
    """Make the person an administrator, or no longer one."""
    person = changeable_person(request, organisation, person_id)
    is_one = policies.administers(person, organisation)
    was = "administrator" if is_one else "member"
    if is_overtaken(request, was):
        return redirect("organisation:person", organisation.pk, person.pk)
    change = roles.take if is_one else roles.give
    return confirmed(
        request,
        organisation,
        person,
        sure(request),
        lambda: change(
            person,
            RoleName.ADMINISTRATOR,
            organisation=organisation,
            by=visitor(request),
        ),
        title=f"Take the administrator role from {person.name}"
        if is_one
        else f"Make {person.name} an administrator",
        text="They keep their mail, and can no longer change anything here."
        if is_one
        else "They can then do everything that you can do here. "
        "They need a second factor when they next sign in.",
        was=was,
        button="Take the role away" if is_one else "Make administrator",
        is_warning=is_one,
        done=f"{person.name} is {'no longer' if is_one else 'now'} an administrator.",
    )
