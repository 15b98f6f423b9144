"""One person's sessions and app passwords: shown, and ended by an administrator."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from engine.registry.models import Organisation, Person
from engine.registry.permissions.view_guards import GuardedView
from portal.account_admin import confirmations, policies
from portal.account_admin.confirmations import OwnedRow
from portal.organisation.confirmation import confirmed_view
from portal.organisation.frame import get_person, render_section
from portal.organisation.people.person import (
    PEOPLE,
    SECTION,
    back_to_person,
    person_view,
)
from portal.sessions import session_list
from portal.ui.confirmation import ConfirmedAction
from portal.ui.visitor import signed_in_person


@PEOPLE
@require_GET
def index(
    request: HttpRequest, organisation: Organisation, person_id: int
) -> HttpResponse:
    """The person's sessions, app passwords, API keys and latest sign-ins."""
    person = get_person(organisation, person_id)
    by = signed_in_person(request)
    context = {
        "person": person,
        **session_list.overview_of(person),
        "keys": session_list.keys_that_go_on(person),
        "may_change": policies.may_change(person, by=by) and person.pk != by.pk,
    }
    return render_section(request, organisation, "person_sessions", SECTION, context)


def _find_session(
    organisation: Organisation, person_id: int, session_id: str
) -> OwnedRow:
    person = get_person(organisation, person_id)
    return OwnedRow(person, session_list.session_of(person, session_id))


def _find_app_password(
    organisation: Organisation, person_id: int, app_password_id: int
) -> OwnedRow:
    person = get_person(organisation, person_id)
    live = person.app_passwords.live()
    return OwnedRow(person, get_object_or_404(live, pk=app_password_id))


def _may_end(found: OwnedRow, *, by: Person) -> bool:
    return policies.may_change(found.person, by=by)


def _owned_row_view(
    find: Callable[..., OwnedRow], action: ConfirmedAction[OwnedRow]
) -> GuardedView:
    return confirmed_view(
        PEOPLE,
        SECTION,
        find,
        action,
        back=lambda found, by: back_to_person(found.person, by),
        allows=_may_end,
    )


sign_out_everywhere = person_view(confirmations.SIGN_OUT_EVERYWHERE)
end_session = _owned_row_view(_find_session, confirmations.END_SESSION)
end_app_password = _owned_row_view(_find_app_password, confirmations.END_APP_PASSWORD)
