"""The pages of a draft: task list, questions, check answers and submit."""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from engine.registry.errors import PolicyError
from engine.registry.permissions.view_guards import GuardedView
from onboarding.applying import applications, suggestions, task_list
from onboarding.applying.answer_summary import CHECK, summary
from onboarding.applying.steps import BY_KEY, TASK_OF, Step
from onboarding.applying.wizard import UnansweredError, Wizard
from onboarding.models import Application
from onboarding.status import Status
from onboarding.terms import clauses
from onboarding.views.applicant_session import View, applicant_page


def draft_page(view: View) -> GuardedView:
    """Restricts a view to drafts; a submitted application goes to its progress page."""

    @wraps(view)
    def guarded(
        request: HttpRequest, application: Application, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if application.status != Status.DRAFT:
            return redirect("onboarding:progress")
        return view(request, application, *args, **kwargs)

    return applicant_page(guarded)


@draft_page
def tasks(request: HttpRequest, application: Application) -> HttpResponse:
    """Shows the task list, the first page of every visit."""
    wizard = Wizard(application)
    context = {
        "application": application,
        "items": task_list.items(wizard),
        "is_complete": task_list.is_complete(wizard),
    }
    return render(request, "onboarding/applying/tasks.html", context)


@draft_page
def step(request: HttpRequest, application: Application, key: str) -> HttpResponse:
    """Shows and saves one page of questions."""
    asked = _asked(key)
    came_from = request.GET.get("from", "")
    wizard = Wizard(application)
    if not wizard.is_asked(asked):
        return redirect("onboarding:tasks")
    form = wizard.form(asked, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        applications.save_draft(application, wizard.with_typed(asked, request.POST))
        return _redirect_after(Wizard(application), asked, came_from=came_from)
    form.initial = {**suggestions.initial_values(key, application), **form.initial}
    context = {
        "step": asked,
        "form": form,
        "back": _back(wizard, asked, came_from=came_from),
        **_extra_context(asked, application, form),
    }
    return render(request, "onboarding/applying/step.html", context)


@draft_page
def check(request: HttpRequest, application: Application) -> HttpResponse:
    """Shows all answers, and submits the application."""
    wizard = Wizard(application)
    try:
        claims, sponsor = wizard.claims(), wizard.sponsor()
        signing = wizard.signing()
    except UnansweredError as missing:
        return redirect("onboarding:step", missing.step.key)
    if request.method == "POST":
        try:
            applications.submit(
                application, claims, sponsor=sponsor, signing=signing, by=None
            )
        except PolicyError as refusal:
            messages.error(request, str(refusal))
        return redirect("onboarding:confirmation")
    return render(
        request, "onboarding/applying/check.html", {"groups": summary(wizard)}
    )


def _asked(key: str) -> Step:
    if key not in BY_KEY:
        raise Http404
    return BY_KEY[key]


def _redirect_after(wizard: Wizard, asked: Step, *, came_from: str) -> HttpResponse:
    """Redirects to the task's next page, or back to where the applicant came from.

    A finished task leads through all of its pages again, with what was answered. From
    the check, only what the changed answer opens is asked before the check again.
    """
    missing = [
        one for one in wizard.unanswered() if TASK_OF[one.key] == TASK_OF[asked.key]
    ]
    if came_from == CHECK:
        if missing:
            return redirect(_page_from_check(missing[0].key))
        return redirect("onboarding:check")
    following = wizard.after(asked) or next(iter(missing), None)
    if following:
        return redirect("onboarding:step", following.key)
    return redirect("onboarding:tasks")


def _page_from_check(key: str) -> str:
    return f"{reverse('onboarding:step', args=[key])}?from={CHECK}"


def _back(wizard: Wizard, asked: Step, *, came_from: str) -> str:
    if came_from == CHECK:
        return reverse("onboarding:check")
    previous = wizard.before(asked)
    if previous:
        return reverse("onboarding:step", args=[previous.key])
    return reverse("onboarding:tasks")


def _extra_context(asked: Step, application: Application, form: Any) -> dict[str, Any]:
    """Returns the context of what a page shows besides its questions."""
    if asked.key == "account":
        return {"suggestion": suggestions.account_suggestion(application)}
    if asked.key == "terms":
        return {"clauses": clauses(form.terms.text)}
    return {}
