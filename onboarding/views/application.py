"""Applying: start page, questions, check answers, confirmation."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from engine.registry.access import public
from onboarding import actions, links
from onboarding.answers import summary
from onboarding.models import Application
from onboarding.steps import BY_KEY, STEPS, Step
from onboarding.wizard import UnansweredError, Wizard

SUBMITTED_KEY = "onboarding.submitted"
read_or_write = require_http_methods(["GET", "HEAD", "POST"])


@public
@require_GET
def start(request: HttpRequest) -> HttpResponse:
    return render(request, "onboarding/start.html", {"first": STEPS[0]})


@public
@never_cache
@read_or_write
def step(request: HttpRequest, key: str) -> HttpResponse:
    """One page of questions."""
    asked = _asked(key)
    wizard = Wizard(request.session)
    if not wizard.is_asked(asked):
        return _onwards(wizard)
    form = asked.form(request.POST or None, initial=wizard.typed(asked))
    if request.method == "POST" and form.is_valid():
        wizard.keep(asked, request.POST)
        return _onwards(wizard)
    context = {"step": asked, "form": form, "back": _back(wizard, asked)}
    return render(request, "onboarding/step.html", context)


@public
@never_cache
@read_or_write
def check(request: HttpRequest) -> HttpResponse:
    """Everything answered, to be looked over and sent."""
    wizard = Wizard(request.session)
    try:
        claims = wizard.claims()
    except UnansweredError as missing:
        if SUBMITTED_KEY in request.session and not wizard.is_begun:
            return redirect("onboarding:confirmation")
        return redirect("onboarding:step", missing.step.key)
    if request.method == "POST":
        application = actions.submit(claims, by=None)
        wizard.forget()
        request.session[SUBMITTED_KEY] = application.pk
        return redirect("onboarding:confirmation")
    context = {"groups": summary(wizard), "back": _back(wizard, None)}
    return render(request, "onboarding/check.html", context)


@public
@never_cache
@require_GET
def confirmation(request: HttpRequest) -> HttpResponse:
    pk = request.session.get(SUBMITTED_KEY, 0)
    application = Application.objects.filter(pk=pk).first()
    if application is None:
        return redirect("apply")
    context = {
        "application": application,
        "panel": f"Your reference number<br><strong>{application.reference}</strong>",
        "tracker": reverse(
            "onboarding:tracker", args=[links.tracker_token(application)]
        ),
    }
    return render(request, "onboarding/confirmation.html", context)


def _asked(key: str) -> Step:
    if key not in BY_KEY:
        raise Http404
    return BY_KEY[key]


def _onwards(wizard: Wizard) -> HttpResponse:
    """To the next page without an answer, or to the check of all of them."""
    missing = wizard.unanswered()
    if missing:
        return redirect("onboarding:step", missing.key)
    return redirect("onboarding:check")


def _back(wizard: Wizard, asked: Step | None) -> Any:
    previous = wizard.before(asked) if asked else list(wizard.pages())[-1].step
    return (
        reverse("onboarding:step", args=[previous.key])
        if previous
        else reverse("apply")
    )
