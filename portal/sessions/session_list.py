"""Where a person is signed in, for every page that shows it: theirs and others'."""

from __future__ import annotations

from typing import Any

from django.http import Http404

from engine.registry.models import ApiKey, Organisation, Person, RoleName
from portal.sessions.models import SignIn, WebSession

SIGN_INS_SHOWN = 20


def overview_of(person: Person) -> dict[str, Any]:
    """Open sessions, live app passwords, and the latest sign-ins, for every page that
    shows them: the owner's, the administrator's and the console's."""
    return {
        "sessions": list(WebSession.objects.open_of(person)),
        "app_passwords": list(person.app_passwords.live()),
        "sign_ins": list(
            SignIn.objects.filter(person=person, succeeded=True)[:SIGN_INS_SHOWN]
        ),
    }


def keys_that_go_on(person: Person) -> list[ApiKey]:
    """Keys of the organisations that the person administers: no session is needed for
    them, so signing out ends none."""
    administered = Organisation.objects.filter(
        roles__person=person, roles__role=RoleName.ADMINISTRATOR
    )
    keys = ApiKey.objects.live().filter(organisation__in=administered)
    return list(keys.select_related("organisation"))


def session_of(person: Person, session_id: str) -> WebSession:
    """An open session of the person. Raises Http404."""
    found = WebSession.objects.open_of(person).filter(public_id=session_id).first()
    if found is None:
        raise Http404
    return found
