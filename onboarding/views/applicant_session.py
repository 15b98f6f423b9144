"""Gives a visitor who opened an application's link access to it for the session."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from engine.registry.permissions.view_guards import GuardedView, public
from onboarding import rate_limits
from onboarding.models import Application

SESSION_KEY = "onboarding.application"
View = Callable[..., HttpResponse]
read_or_write = require_http_methods(["GET", "HEAD", "POST"])


def public_page(view: View) -> GuardedView:
    """Makes a view public, rate-limited, and never cached."""

    @wraps(view)
    def within_limits(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            if request.method == "POST":
                rate_limits.count_form_by(request)
            return view(request, *args, **kwargs)
        except rate_limits.RateLimitError:
            return render(request, "onboarding/too_often.html", status=429)

    return public(never_cache(read_or_write(within_limits)))


def applicant_page(view: View) -> GuardedView:
    """Passes the visitor's application to the view; without one, redirects to ask for a link."""

    @wraps(view)
    def admitted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        pk = request.session.get(SESSION_KEY, 0)
        application = Application.objects.filter(pk=pk).first()
        if application is None:
            return redirect("onboarding:email")
        return view(request, application, *args, **kwargs)

    return public_page(admitted)


def start(request: HttpRequest, application: Application) -> None:
    """Gives the visitor access to the application until the session ends.

    The new session key prevents session fixation.
    """
    request.session.cycle_key()
    request.session[SESSION_KEY] = application.pk


def end(request: HttpRequest) -> None:
    """Ends the visitor's access to the application."""
    request.session.pop(SESSION_KEY, None)
