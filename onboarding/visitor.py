"""Who is applying: whoever opened a link to an application's address, for this session."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from engine.registry.permissions.view_guards import GuardedView, public
from onboarding import throttle
from onboarding.models import Application

SESSION_KEY = "onboarding.application"
View = Callable[..., HttpResponse]
read_or_write = require_http_methods(["GET", "HEAD", "POST"])


def stranger(view: View) -> GuardedView:
    """Let everybody reach the page, as often as is reasonable, and keep it nowhere."""

    @wraps(view)
    def within_limits(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            if request.method == "POST":
                throttle.count_forms_by(request)
            return view(request, *args, **kwargs)
        except throttle.TooOftenError:
            return render(request, "onboarding/too_often.html", status=429)

    return public(never_cache(read_or_write(within_limits)))


def applicant(view: View) -> GuardedView:
    """Hand the view its visitor's application; send everybody else to ask for a link."""

    @wraps(view)
    def admitted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        pk = request.session.get(SESSION_KEY, 0)
        application = Application.objects.filter(pk=pk).first()
        if application is None:
            return redirect("onboarding:email")
        return view(request, application, *args, **kwargs)

    return stranger(admitted)


def admit(request: HttpRequest, application: Application) -> None:
    """Let this visitor work on the application until the session ends."""
    request.session.cycle_key()
    request.session[SESSION_KEY] = application.pk


def leave(request: HttpRequest) -> None:
    request.session.pop(SESSION_KEY, None)
