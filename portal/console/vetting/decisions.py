"""Decisions about an application: each is a form or a button that runs one action."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from engine.registry.errors import PolicyError
from engine.registry.permissions import Permission
from onboarding.models import Application
from onboarding.status import Status
from onboarding.vetting import decisions
from portal.console.access import staff
from portal.console.page import render_template
from portal.console.vetting.forms import (
    ApproveForm,
    CorrectForm,
    QuestionForm,
    RejectForm,
    ReopenForm,
)
from portal.ui.visitor import signed_in_person

ICON = "clipboard-list"
ABOVE = (("vetting:index", "Applications"),)
decider = staff(Permission.DECIDE_APPLICATIONS)


@decider
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Approves an application, or recommends it where two officers must agree."""
    application = _get(pk)
    proposed = {"community_domain": application.community_domain}
    form = ApproveForm(request.POST or None, initial=proposed)
    is_first = (
        application.needs_two_officers and application.status != Status.RECOMMENDED
    )
    outcome = "now waits for a second officer" if is_first else "is being set up"
    verb = "Recommend" if is_first else "Approve"
    return _decide(request, application, verb, form, decisions.approve, outcome)


@decider
def reject(request: HttpRequest, pk: int) -> HttpResponse:
    """Rejects an application."""
    form = RejectForm(request.POST or None)
    return _decide(request, _get(pk), "Reject", form, decisions.reject, "is rejected")


@decider
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    """Sends the applicant a question."""
    form = QuestionForm(request.POST or None)
    outcome = "waits for the applicant's answer"
    return _decide(
        request, _get(pk), "Ask about", form, decisions.ask_question, outcome
    )


@decider
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Corrects claims, as agreed with the applicant."""
    application = _get(pk)
    form = CorrectForm(request.POST or None, application=application)
    verb = decisions.correct
    return _decide(request, application, "Correct", form, verb, "is corrected")


@decider
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Returns an approved application to the desk."""
    form = ReopenForm(request.POST or None)
    outcome = "is back in vetting"
    return _decide(
        request, _get(pk), "Return to vetting", form, decisions.reopen, outcome
    )


@decider
@require_POST
def take(request: HttpRequest, pk: int) -> HttpResponse:
    """Assigns the application to the officer, or to no one."""
    to = None if "give_back" in request.POST else signed_in_person(request)
    outcome = (
        "The application is unassigned."
        if to is None
        else "The application is assigned to you."
    )
    return _press(request, pk, outcome, decisions.assign, to=to)


@decider
@require_POST
def check_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Runs all checks again."""
    return _press(request, pk, "The checks are running.", decisions.check_again)


@decider
@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Runs the remaining steps of setting up."""
    outcome = "The remaining steps have been started."
    return _press(request, pk, outcome, decisions.retry_provisioning)


def _get(pk: int) -> Application:
    return get_object_or_404(Application.objects.submitted(), pk=pk)


def _decide(
    request: HttpRequest,
    application: Application,
    verb: str,
    form: forms.Form,
    action: Callable[..., Any],
    outcome: str,
) -> HttpResponse:
    """Shows the form; when it is submitted, runs the action, or shows the refusal."""
    if request.method == "POST" and form.is_valid():
        try:
            action(application, **form.cleaned_data, by=signed_in_person(request))
        except PolicyError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{application} {outcome}.")
            return redirect("vetting:inspect", application.pk)
    button = verb.removesuffix(" about")
    context = {"application": application, "form": form, "verb": verb, "button": button}
    title = f"{verb} {application}"
    return render_template(request, "vetting/decide", title, ICON, context, above=ABOVE)


def _press(
    request: HttpRequest, pk: int, outcome: str, action: Callable[..., Any], **more: Any
) -> HttpResponse:
    try:
        action(_get(pk), **more, by=signed_in_person(request))
    except PolicyError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, outcome)
    return redirect("vetting:inspect", pk)
