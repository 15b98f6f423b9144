"""What officers do about one application: each a form or a button, and one verb."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from engine.registry.errors import PolicyError
from engine.registry.models import Person
from engine.registry.permissions import Permission
from onboarding.models import Application
from onboarding.status import Status
from onboarding.vetting import decisions
from portal.console import page
from portal.console.access import staff
from portal.console.vetting.forms import (
    ApproveForm,
    CorrectForm,
    QuestionForm,
    RejectForm,
    ReopenForm,
)

ICON = "clipboard-list"
ABOVE = (("vetting:index", "Applications"),)
decider = staff(Permission.DECIDE_APPLICATIONS)


@decider
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    application = _get(pk)
    proposed = {"community_domain": application.community_domain}
    form = ApproveForm(request.POST or None, initial=proposed)
    is_first = (
        application.needs_two_officers and application.status != Status.RECOMMENDED
    )
    said = "now waits for a second officer" if is_first else "is being set up"
    verb = "Recommend" if is_first else "Approve"
    return _decided(request, application, verb, form, decisions.approve, said)


@decider
def reject(request: HttpRequest, pk: int) -> HttpResponse:
    form = RejectForm(request.POST or None)
    return _decided(request, _get(pk), "Reject", form, decisions.reject, "is rejected")


@decider
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    form = QuestionForm(request.POST or None)
    said = "waits for the applicant's answer"
    return _decided(request, _get(pk), "Ask about", form, decisions.ask_question, said)


@decider
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    application = _get(pk)
    form = CorrectForm(request.POST or None, application=application)
    verb = decisions.correct
    return _decided(request, application, "Correct", form, verb, "is corrected")


@decider
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    form = ReopenForm(request.POST or None)
    said = "is back at the desk"
    return _decided(request, _get(pk), "Take back", form, decisions.reopen, said)


@decider
@require_POST
def take(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the application, or give it back."""
    to = None if "give_back" in request.POST else officer(request)
    said = "It is nobody's now." if to is None else "It is yours now."
    return _pressed(request, pk, said, decisions.assign, to=to)


@decider
@require_POST
def check_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Look everything up once more."""
    return _pressed(request, pk, "The checks are running.", decisions.check_again)


@decider
@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Run the steps of setting up that are left."""
    said = "The steps that are left have been started."
    return _pressed(request, pk, said, decisions.retry_provisioning)


def officer(request: HttpRequest) -> Person:
    """Whoever decides; the guard let only people in."""
    if not isinstance(request.user, Person):
        raise TypeError("Nobody is signed in.")
    return request.user


def _get(pk: int) -> Application:
    return get_object_or_404(Application.objects.submitted(), pk=pk)


def _decided(
    request: HttpRequest,
    application: Application,
    verb: str,
    form: forms.Form,
    action: Callable[..., Any],
    said: str,
) -> HttpResponse:
    """The form; and the action with what it holds, or the sentence why not."""
    if request.method == "POST" and form.is_valid():
        try:
            action(application, **form.cleaned_data, by=officer(request))
        except PolicyError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{application} {said}.")
            return redirect("vetting:inspect", application.pk)
    button = verb.removesuffix(" about")
    context = {"application": application, "form": form, "verb": verb, "button": button}
    title = f"{verb} {application}"
    return page.show(request, "vetting/decide", title, ICON, context, above=ABOVE)


def _pressed(
    request: HttpRequest, pk: int, said: str, action: Callable[..., Any], **more: Any
) -> HttpResponse:
    try:
        action(_get(pk), **more, by=officer(request))
    except PolicyError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, said)
    return redirect("vetting:inspect", pk)
