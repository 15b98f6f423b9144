"""Suspending what works, and resuming what was suspended."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from engine.registry.models import DistributionList, Mailbox
from portal.console.confirmation import ReasonForm, Words, act, person_of, typed
from portal.console.organisations.frame import ABOVE, ICON
from portal.console.sheet import Cell


def state(is_active: bool) -> Cell:
    return Cell("Active") if is_active else Cell("Suspended", is_alarming=True)


def switched(
    request: HttpRequest,
    found: Mailbox | DistributionList,
    change: Callable[..., None],
    back: str,
) -> HttpResponse:
    """Suspend what works, or resume what was suspended, with the reason."""
    form = ReasonForm(typed(request))
    word = "Suspend" if found.is_active else "Resume"
    words = Words(
        title=f"{word} {found.name}",
        button=word,
        done=f"{found.name} was changed.",
        back=back,
        text="Mail to it is held until you resume it."
        if found.is_active
        else "Mail that was held for it is delivered.",
        icon=ICON,
        above=ABOVE,
        is_grave=found.is_active,
    )

    def verb() -> None:
        change(found, reason=form.cleaned_data["reason"], by=person_of(request))

    return act(request, form, verb, words)
