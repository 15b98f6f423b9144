"""Pages that say what will happen; their button does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from engine.registry import permissions
from engine.registry.models import DistributionList, Mailbox, Organisation, Person
from engine.registry.permissions import Permission
from portal.organisation.frame import show, visitor
from portal.ui.forms import ActionForm, ConfirmForm, ReasonForm


class Switch(Protocol):
    """The verbs that suspend one thing and resume it."""

    def suspend(self, row: Any, /, *, reason: str, by: Person) -> None: ...

    def resume(self, row: Any, /, *, by: Person) -> None: ...


def sure(request: HttpRequest) -> ConfirmForm:
    return ConfirmForm(request.POST if request.method == "POST" else None)


def is_overtaken(request: HttpRequest, now: str) -> bool:
    """True where the page showed another state: somebody has pressed the button before.

    A switch that is pressed twice must not go back to where it was.
    """
    if request.method != "POST" or request.POST.get("was", now) == now:
        return False
    messages.info(request, "This has been done already.")
    return True


def confirmed(
    request: HttpRequest,
    organisation: Organisation,
    person: Person,
    form: ActionForm,
    verb: Callable[[], object],
    *,
    done: str,
    **words: Any,
) -> HttpResponse:
    """Ask first; then do it, and go back to the person while they may be seen."""
    if form.submit(verb):
        messages.success(request, done)
        if not permissions.can(
            visitor(request), Permission.MANAGE_PEOPLE, organisation=organisation
        ):
            return redirect("organisation:home")
        return redirect("organisation:person", organisation.pk, person.pk)
    context = {"person": person, "form": form, "caption": person.address, **words}
    return show(request, organisation, "confirm", "people", context)


def switched(
    request: HttpRequest,
    organisation: Organisation,
    found: DistributionList | Mailbox,
    verbs: Switch,
    *,
    page: str,
    section: str,
    suspending: str,
    resuming: str,
) -> HttpResponse:
    """Ask first; then suspend what works, or resume what was suspended."""
    is_active = found.is_active
    was = "active" if is_active else "suspended"
    back = redirect(f"organisation:{page}", organisation.pk, found.pk)
    if is_overtaken(request, was):
        return back
    bound = request.POST if request.method == "POST" else None
    form = ReasonForm(bound) if is_active else ConfirmForm(bound)
    if form.submit(lambda: _switch(found, verbs, form, by=visitor(request))):
        state = "is suspended" if is_active else "works again"
        messages.success(request, f"{found.name} {state}.")
        return back
    word = "Suspend" if is_active else "Resume"
    context = {
        "form": form,
        "caption": found.address,
        "title": f"{word} {found.name}",
        "text": suspending if is_active else resuming,
        "button": word,
        "is_warning": is_active,
        "was": was,
    }
    return show(request, organisation, "confirm", section, context)


def _switch(
    found: DistributionList | Mailbox, verbs: Switch, form: ActionForm, *, by: Person
) -> None:
    if found.is_active:
        verbs.suspend(found, reason=form.cleaned_data["reason"], by=by)
    else:
        verbs.resume(found, by=by)
