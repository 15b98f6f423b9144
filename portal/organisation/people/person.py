"""One person: details, and changes to them by an administrator."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from engine.registry import permissions
from engine.registry.actions import people, roles
from engine.registry.models import Grant, Organisation, Person, RoleName
from engine.registry.permissions import Permission
from engine.registry.permissions.view_guards import GuardedView
from onboarding.first_sign_in.policies import can_print_first_letter
from portal.account_admin import approvals, confirmations, policies
from portal.account_admin.forms import PersonForm
from portal.emergency_access import policies as emergency_policies
from portal.organisation.confirmation import confirmed_view
from portal.organisation.frame import (
    get_person,
    organisation_of,
    organisation_view,
    person_url,
    render_section,
)
from portal.ui.confirmation import Confirmation, ConfirmedAction, check_allowed
from portal.ui.forms import post_data
from portal.ui.visitor import signed_in_person

SECTION = "people"
PEOPLE = organisation_view(Permission.MANAGE_PEOPLE)


@PEOPLE
@require_GET
def index(
    request: HttpRequest, organisation: Organisation, person_id: int
) -> HttpResponse:
    """The page of one person."""
    person = get_person(organisation, person_id)
    by = signed_in_person(request)
    missing = policies.without_second_factor(organisation).filter(pk=person.pk)
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
        "approvals": approvals.of_person(person),
        "may_print_letter": can_print_first_letter(person),
        "may_ask_for_access": emergency_policies.may_ask_about(person, by=by),
    }
    return render_section(request, organisation, "person", SECTION, context)


@PEOPLE
@require_http_methods(["GET", "POST"])
def edit(
    request: HttpRequest, organisation: Organisation, person_id: int
) -> HttpResponse:
    """Changes a person's details."""
    person = get_person(organisation, person_id)
    by = signed_in_person(request)
    check_allowed(policies.may_change, person, by=by)
    form = PersonForm(post_data(request), initial=PersonForm.initial_of(person))
    if form.submit(lambda: people.edit(person, by=by, **form.details)):
        messages.success(request, f"The details of {person.name} have been saved.")
        return redirect(person_url(person))
    context = {"person": person, "form": form}
    return render_section(request, organisation, "person_edit", SECTION, context)


def back_to_person(person: Person, by: Person) -> str:
    """The person's page, while the visitor may still see it.

    Administrators who take their own role away no longer may.
    """
    organisation = person.organisation
    if permissions.can(by, Permission.MANAGE_PEOPLE, organisation=organisation):
        return person_url(person)
    return reverse("organisation:home")


def person_view(action: ConfirmedAction[Person]) -> GuardedView:
    """Builds the view of a confirmed action on one of the organisation's people."""
    return confirmed_view(
        PEOPLE,
        SECTION,
        get_person,
        action,
        back=back_to_person,
        allows=policies.may_change,
    )


def _describe_new_administrator(person: Person, by: Person) -> Confirmation:
    return Confirmation(
        title=f"Make {person.name} an administrator",
        text="They can then do everything that you can do here. They need a second "
        "factor when they next sign in.",
        button="Make administrator",
        done=f"{person.name} is now an administrator.",
        caption=person.address,
        state="member",
    )


def _describe_role_removal(person: Person, by: Person) -> Confirmation:
    return Confirmation(
        title=f"Take the administrator role from {person.name}",
        text="They keep their mail, and can no longer change anything here.",
        button="Take the role away",
        done=f"{person.name} is no longer an administrator.",
        caption=person.address,
        is_warning=True,
        state="administrator",
    )


def _give(person: Person, **by: Any) -> None:
    organisation = organisation_of(person)
    roles.give(person, RoleName.ADMINISTRATOR, organisation=organisation, **by)


def _take(person: Person, **by: Any) -> None:
    organisation = organisation_of(person)
    roles.take(person, RoleName.ADMINISTRATOR, organisation=organisation, **by)


GIVE_ROLE = ConfirmedAction(_describe_new_administrator, _give)
TAKE_ROLE = ConfirmedAction(_describe_role_removal, _take)


def _role_change(person: Person) -> ConfirmedAction[Person]:
    is_administrator = policies.administers(person, organisation_of(person))
    return TAKE_ROLE if is_administrator else GIVE_ROLE


suspend = person_view(confirmations.SUSPEND)
resume = person_view(confirmations.RESUME)
change_address = person_view(confirmations.CHANGE_ADDRESS)
role = confirmed_view(
    organisation_view(Permission.MANAGE_ROLES),
    SECTION,
    get_person,
    _role_change,
    back=back_to_person,
    allows=policies.may_change,
)
