"""A page about one person that says what will happen; its button does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from engine.registry import permissions
from engine.registry.models import Organisation, Person
from engine.registry.permissions import Permission
from portal.organisation.forms.base import RuledForm, SureForm
from portal.organisation.place import show, visitor


def sure(request: HttpRequest) -> SureForm:
    return SureForm(request.POST if request.method == "POST" else None)


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
    form: RuledForm,
    verb: Callable[[], object],
    *,
    done: str,
    **words: Any,
) -> HttpResponse:
    """Ask first; then do it, and go back to the person while they may be seen."""
    if form.carries_out(verb):
        messages.success(request, done)
        if not permissions.can(
            visitor(request), Permission.MANAGE_PEOPLE, organisation=organisation
        ):
            return redirect("organisation:home")
        return redirect("organisation:person", organisation.pk, person.pk)
    context = {"person": person, "form": form, "caption": person.address, **words}
    return show(request, organisation, "confirm", "people", context)
