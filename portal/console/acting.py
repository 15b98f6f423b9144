"""A page that says what will happen; its button runs one verb."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect

from engine.registry.models import Person
from engine.registry.permissions import REFUSAL
from portal.console import page
from portal.organisation.forms.base import RuledForm


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


class ReasonForm(RuledForm):
    reason = forms.CharField(
        label="Reason",
        help_text="Kept in the audit trail.",
        max_length=200,
        error_messages={"required": "Enter a reason"},
    )

    @property
    def reason_given(self) -> str:
        return str(self.cleaned_data["reason"])


class SureForm(RuledForm):
    """A page with one button: nothing is typed."""


def act(
    request: HttpRequest,
    form: RuledForm,
    verb: Callable[[], object],
    words: Words,
) -> HttpResponse:
    """Show the page; when its button is pressed, run the verb and go back."""
    if form.carries_out(verb):
        messages.success(request, words.done)
        return redirect(words.back)
    context = {"form": form, "words": words}
    above = tuple(words.above)
    return page.show(request, "act", words.title, words.icon, context, above=above)


def typed(request: HttpRequest) -> QueryDict | None:
    """What was sent with the form; None before anybody pressed its button."""
    return request.POST if request.method == "POST" else None


def person_of(request: HttpRequest) -> Person:
    """Whoever asks; the guard let only people in."""
    if not isinstance(request.user, Person):
        raise PermissionDenied(REFUSAL)
    return request.user
