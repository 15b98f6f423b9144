"""The pages of a person's own sessions: list, end one, end all."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from engine.registry.models import Person
from engine.registry.permissions.view_guards import signed_in
from portal.account import actions
from portal.account.forms import SignOutEverywhereForm
from portal.sessions import store
from portal.sessions.actions import end_session
from portal.sessions.session_list import keys_that_go_on, overview_of, session_of


@signed_in
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Lists open sessions, app passwords and recent sign-ins."""
    context = {**overview_of(_own(request)), "current": store.id_of(request)}
    return render(request, "account/sessions.html", context)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, session_id: str) -> HttpResponse:
    """Ends one other session; the current one ends by signing out."""
    session = session_of(_own(request), session_id)
    if session.public_id == store.id_of(request):
        return redirect("account_logout")
    if request.method == "POST":
        end_session(session, by=_own(request))
        messages.success(request, gettext("%s is signed out.") % session.browser)
        return redirect("account:sessions")
    return render(request, "account/end_session.html", {"session": session})


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def everywhere(request: HttpRequest) -> HttpResponse:
    """Ends all sessions but this one, and app passwords only where the owner wants it."""
    person = _own(request)
    form = SignOutEverywhereForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        ended = actions.sign_out_elsewhere(
            request, ends_app_passwords=form.cleaned_data["ends_app_passwords"]
        )
        messages.success(request, _done(len(ended)))
        return redirect("account:sessions")
    context = {
        "form": form,
        "app_passwords": list(person.app_passwords.live()),
        "keys": keys_that_go_on(person),
    }
    return render(request, "account/sign_out_everywhere.html", context)


def _own(request: HttpRequest) -> Person:
    return cast(Person, request.user)


def _done(count: int) -> str:
    if not count:
        return gettext("You are signed out everywhere but here.")
    return ngettext(
        "You are signed out everywhere but here, and %(count)s app password has ended.",
        "You are signed out everywhere but here, and %(count)s app passwords have ended.",
        count,
    ) % {"count": count}
