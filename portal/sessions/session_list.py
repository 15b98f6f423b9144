"""Lists a person's sessions and sign-ins, for their own page and for administrators'."""

from __future__ import annotations

from typing import Any

from django.http import Http404

from engine.registry.models import ApiKey, Organisation, Person, RoleName
from portal.sessions.models import SignIn, WebSession

MAX_SIGN_INS_SHOWN = 20


def overview_of(person: Person) -> dict[str, Any]:
    """Returns the template context: open sessions, live app passwords, latest sign-ins."""
    return {
        "sessions": list(WebSession.objects.open_of(person)),
        "app_passwords": list(person.app_passwords.live()),
        "sign_ins": list(
            SignIn.objects.filter(person=person, succeeded=True)[:MAX_SIGN_INS_SHOWN]
        ),
    }


def keys_that_go_on(person: Person) -> list[ApiKey]:
    """Returns the API keys of organisations that the person administers.

    They are valid without a session, so that signing out does not end them.
    """
    administered = Organisation.objects.filter(
        roles__person=person, roles__role=RoleName.ADMINISTRATOR
    )
    keys = ApiKey.objects.live().filter(organisation__in=administered)
    return list(keys.select_related("organisation"))


def session_of(person: Person, session_id: str) -> WebSession:
    """Returns an open session of the person by its public id. Raises Http404."""
    found = WebSession.objects.open_of(person).filter(public_id=session_id).first()
    if found is None:
        raise Http404
    return found
