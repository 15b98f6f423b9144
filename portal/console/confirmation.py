"""A page that says what will happen; its button runs one verb."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from portal.console import page
from portal.ui.forms import ActionForm, ConfirmForm, ReasonForm
from portal.ui.forms import post_data as typed
from portal.ui.visitor import signed_in_person as person_of

__all__ = ["ConfirmForm", "ReasonForm", "Words", "act", "person_of", "typed"]


@dataclass(frozen=True, slots=True)
class Words:
    """What the page says. `back` is where it came from, and where it leads when done."""

    title: str
    button: str
    done: str
    back: str
    text: str = ""
    icon: str = "edit"
    above: Sequence[tuple[str, str]] = ()
    is_grave: bool = False


def act(
    request: HttpRequest,
    form: ActionForm,
    verb: Callable[[], object],
    words: Words,
) -> HttpResponse:
    """Show the page; when its button is pressed, run the verb and go back."""
    if form.submit(verb):
        messages.success(request, words.done)
        return redirect(words.back)
    context = {"form": form, "words": words}
    above = tuple(words.above)
    return page.show(request, "confirm", words.title, words.icon, context, above=above)
