"""Filling an application in: task list, pages, check answers, sending it in."""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from engine.registry.errors import PolicyError
from engine.registry.permissions.view_guards import GuardedView
from onboarding import checks, prefill, task_list
from onboarding.actions import applying
from onboarding.answers import summary
from onboarding.models import Application
from onboarding.status import Status
from onboarding.steps import BY_KEY, TASK_OF, Step
from onboarding.terms import clauses
from onboarding.visitor import View, applicant
from onboarding.wizard import UnansweredError, Wizard


def drafting(view: View) -> GuardedView:
    """For an application that is still being filled in; others are followed."""

    @wraps(view)
    def guarded(
        request: HttpRequest, application: Application, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if application.status != Status.DRAFT:
            return redirect("onboarding:progress")
        return view(request, application, *args, **kwargs)

    return applicant(guarded)


@drafting
def tasks(request: HttpRequest, application: Application) -> HttpResponse:
    """What is done and what is left; shown at the start and at every return."""
    wizard = Wizard(application)
    context = {
        "application": application,
        "items": task_list.items(wizard),
        "is_complete": task_list.is_complete(wizard),
    }
    return render(request, "onboarding/tasks.html", context)


@drafting
def step(request: HttpRequest, application: Application, key: str) -> HttpResponse:
    """One page of questions."""
    asked = _asked(key)
    wizard = Wizard(application)
    if not wizard.is_asked(asked):
        return redirect("onboarding:tasks")
    form = wizard.form(asked, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        was_complete = task_list.is_complete(wizard)
        applying.keep(application, wizard.with_typed(asked, request.POST))
        return _onwards(Wizard(application), asked, was_complete=was_complete)
    form.initial = {**prefill.suggested(key, application), **form.initial}
    context = {
        "step": asked,
        "form": form,
        "back": _back(wizard, asked),
        **_besides(asked, application, form),
    }
    return render(request, "onboarding/step.html", context)


@drafting
def check(request: HttpRequest, application: Application) -> HttpResponse:
    """Everything answered, to be looked over and sent in."""
    wizard = Wizard(application)
    try:
        claims, sponsor = wizard.claims(), wizard.sponsor()
        signing = wizard.signing()
    except UnansweredError as missing:
        return redirect("onboarding:step", missing.step.key)
    if request.method == "POST":
        try:
            applying.submit(
                application, claims, sponsor=sponsor, signing=signing, by=None
            )
        except PolicyError as refusal:
            messages.error(request, str(refusal))
        return redirect("onboarding:confirmation")
    return render(request, "onboarding/check.html", {"groups": summary(wizard)})


def _asked(key: str) -> Step:
    if key not in BY_KEY:
        raise Http404
    return BY_KEY[key]


def _onwards(wizard: Wizard, asked: Step, *, was_complete: bool) -> HttpResponse:
    """To the task's next page, back to the check that it came from, or to the list."""
    missing = wizard.unanswered()
    if was_complete and not missing:
        return redirect("onboarding:check")
    for other in missing:
        if TASK_OF[other.key] == TASK_OF[asked.key]:
            return redirect("onboarding:step", other.key)
    return redirect("onboarding:tasks")


def _back(wizard: Wizard, asked: Step) -> str:
    previous = wizard.before(asked)
    if previous:
        return reverse("onboarding:step", args=[previous.key])
    return reverse("onboarding:tasks")


def _besides(asked: Step, application: Application, form: Any) -> dict[str, Any]:
    """What a page shows beside its questions."""
    if asked.key == "account":
        return {"suggestion": checks.account_suggestion(application)}
    if asked.key == "terms":
        return {"clauses": clauses(form.terms.text)}
    return {}
