"""What staff do to one person's account. Staff's own accounts are the operators'."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods

from engine.registry.actions import people, roles
from engine.registry.models import Person, RoleName
from engine.registry.permissions import REFUSAL, Permission
from portal.account_admin import actions, policies
from portal.console.access import staff
from portal.console.confirmation import ConfirmForm, ReasonForm, Words, act, typed
from portal.console.confirmation import person_of as visitor
from portal.console.organisations.forms import StaffRoleForm
from portal.console.organisations.frame import PEOPLE_ABOVE, PERSON_ICON, person_of, url
from portal.organisation.people.forms import PersonForm

PEOPLE = Permission.MANAGE_PEOPLE


def changeable(request: HttpRequest, pk: int) -> Person:
    """The person, where the visitor may change them. Raises PermissionDenied."""
    person = person_of(pk)
    if not policies.may_change(person, by=visitor(request)):
        raise PermissionDenied(REFUSAL)
    return person


@staff(PEOPLE)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    person = changeable(request, pk)
    form = PersonForm(typed(request), initial=PersonForm.initial_of(person))

    def verb() -> None:
        people.edit(person, by=visitor(request), **form.details)

    return act(request, form, verb, _words(person, "Edit", "Save"))


@staff(PEOPLE)
@require_http_methods(["GET", "POST"])
def suspend(request: HttpRequest, pk: int) -> HttpResponse:
    text = (
        "They are signed out everywhere and can no longer sign in, their app passwords "
        "end, and mail to and from them is held or refused."
    )
    return _with_reason(request, pk, people.suspend, "Suspend", text)


@staff(PEOPLE)
@require_http_methods(["GET", "POST"])
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    text = (
        "They can sign in again, and mail that was held is delivered. Their mail "
        "programs need new app passwords."
    )
    return _with_reason(request, pk, people.resume, "Resume", text)


def _with_reason(
    request: HttpRequest, pk: int, change: Callable[..., None], verb: str, text: str
) -> HttpResponse:
    person = changeable(request, pk)
    form = ReasonForm(typed(request))

    def run() -> None:
        change(person, reason=form.cleaned_data["reason"], by=visitor(request))

    words = _words(person, verb, verb, text, is_grave=verb == "Suspend")
    return act(request, form, run, words)


@staff(PEOPLE)
@require_http_methods(["GET", "POST"])
def send_link(request: HttpRequest, pk: int) -> HttpResponse:
    person = changeable(request, pk)
    text = (
        "Their password and their app passwords stop working at once, and they are "
        "signed out everywhere. "
        f"The link goes to {person.notice_address or 'their everyday address'}. "
        "Make sure first that it is really them who asks."
    )
    words = _words(person, "Send a link to", "Send the link", text, is_grave=True)
    form = ConfirmForm(typed(request))
    return act(
        request,
        form,
        lambda: actions.send_sign_in_link(person, by=visitor(request)),
        words,
    )


@staff(Permission.MANAGE_STAFF)
@require_http_methods(["GET", "POST"])
def give_role(request: HttpRequest, pk: int) -> HttpResponse:
    person = person_of(pk)
    form = StaffRoleForm(typed(request))

    def verb() -> None:
        roles.give_staff(
            person,
            RoleName(form.cleaned_data["role"]),
            reason=form.cleaned_data["reason"],
            by=visitor(request),
        )

    text = "They need a second factor before they can open anything here."
    return act(request, form, verb, _words(person, "Give a role to", "Give", text))


@staff(Permission.MANAGE_STAFF)
@require_http_methods(["GET", "POST"])
def take_role(request: HttpRequest, pk: int, key: int) -> HttpResponse:
    person = person_of(pk)
    role = RoleName(get_object_or_404(person.staff_roles, pk=key).role)
    form = ReasonForm(typed(request))

    def verb() -> None:
        roles.take_staff(
            person, role, reason=form.cleaned_data["reason"], by=visitor(request)
        )

    text = f"They are no longer: {role.label.lower()}."
    words = _words(person, "Take a role from", "Take it away", text, is_grave=True)
    return act(request, form, verb, words)


def _words(
    person: Person, verb: str, button: str, text: str = "", *, is_grave: bool = False
) -> Words:
    return Words(
        title=f"{verb} {person.name}",
        button=button,
        done=f"The account of {person.name} was changed.",
        back=url("person", person.pk),
        text=text,
        icon=PERSON_ICON,
        above=PEOPLE_ABOVE,
        is_grave=is_grave,
    )
