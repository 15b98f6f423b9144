"""Where one person is signed in, and with which app passwords: seen and ended."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from engine.registry.actions import people
from engine.registry.actions.sessions import end_sessions
from engine.registry.models import Organisation
from engine.registry.permissions import Permission
from portal.account_admin import policies
from portal.organisation.confirmation import confirmed
from portal.organisation.frame import (
    changeable_person,
    person_in,
    show,
    visitor,
    within,
)
from portal.sessions import session_list
from portal.sessions.actions import end_session
from portal.ui.forms import ReasonForm

PEOPLE = Permission.MANAGE_PEOPLE


@within(PEOPLE)
@require_GET
def index(
    request: HttpRequest, organisation: Organisation, person_id: int
) -> HttpResponse:
    person = person_in(organisation, person_id)
    by = visitor(request)
    context = {
        "person": person,
        **session_list.overview_of(person),
        "keys": session_list.keys_that_go_on(person),
        "may_change": policies.may_change(person, by=by) and person.pk != by.pk,
    }
    return show(request, organisation, "person_sessions", "people", context)


@within(PEOPLE)
@require_http_methods(["GET", "POST"])
def everywhere(
    request: HttpRequest, organisation: Organisation, person_id: int
) -> HttpResponse:
    """An administrator acts on a doubt, so the app passwords end too."""
    person = changeable_person(request, organisation, person_id)
    form = _reason(request)
    return confirmed(
        request,
        organisation,
        person,
        form,
        lambda: end_sessions(
            person, reason=form.cleaned_data["reason"], by=visitor(request)
        ),
        title=_("Sign %(name)s out everywhere") % {"name": person.name},
        text=_(
            "Every browser and every mail program is signed out at once, and all app "
            "passwords end. The password and the second factor stay. We tell them."
        ),
        button=_("Sign out everywhere"),
        is_warning=True,
        done=_("%(name)s is signed out everywhere.") % {"name": person.name},
    )


@within(PEOPLE)
@require_http_methods(["GET", "POST"])
def end(
    request: HttpRequest, organisation: Organisation, person_id: int, session_id: str
) -> HttpResponse:
    person = changeable_person(request, organisation, person_id)
    session = session_list.session_of(person, session_id)
    form = _reason(request)
    return confirmed(
        request,
        organisation,
        person,
        form,
        lambda: end_session(
            session, reason=form.cleaned_data["reason"], by=visitor(request)
        ),
        title=_("End a session of %(name)s") % {"name": person.name},
        text=_("%(browser)s, from %(peer)s, has to sign in again. We tell %(name)s.")
        % {"browser": session.browser, "peer": session.peer, "name": person.name},
        button=_("End the session"),
        is_warning=True,
        done=_("The session is ended."),
    )


@within(PEOPLE)
@require_http_methods(["GET", "POST"])
def end_app_password(
    request: HttpRequest,
    organisation: Organisation,
    person_id: int,
    app_password_id: int,
) -> HttpResponse:
    person = changeable_person(request, organisation, person_id)
    found = get_object_or_404(person.app_passwords.live(), pk=app_password_id)
    form = _reason(request)
    return confirmed(
        request,
        organisation,
        person,
        form,
        lambda: people.revoke_app_password(
            found, reason=form.cleaned_data["reason"], by=visitor(request)
        ),
        title=_("End “%(app)s” of %(name)s") % {"app": found.name, "name": person.name},
        text=_("The mail program that uses it is disconnected. We tell %(name)s.")
        % {"name": person.name},
        button=_("End the app password"),
        is_warning=True,
        done=_("“%(app)s” no longer opens anything.") % {"app": found.name},
    )


def _reason(request: HttpRequest) -> ReasonForm:
    return ReasonForm(request.POST if request.method == "POST" else None)
