"""Actions on one's own credentials and sessions that allauth does not have."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from django.contrib.auth import update_session_auth_hash
from django.db import transaction
from django.http import HttpRequest

from engine.registry.actions import people, sessions
from engine.registry.models import AppPassword, Person
from portal.account import tasks
from portal.sessions import known_browsers, store


@transaction.atomic
def make_app_password(
    person: Person, *, name: str, expires_at: datetime | None, by: Person
) -> tuple[AppPassword, str]:
    """Creates an app password for a mail program, and notifies the person by mail.

    Without the notification, a passer-by at an unlocked screen could make one unnoticed.
    Returns the row and the secret, which is not stored.
    """
    made, secret = people.add_app_password(
        person, name=name, expires_at=expires_at, by=by
    )
    tasks.tell_of_change(person, "app_password_added")
    return made, secret


@transaction.atomic
def sign_out_elsewhere(request: HttpRequest, *, ends_app_passwords: bool) -> list[str]:
    """Ends every session of the person except the current one.

    Returns the names of the app passwords that ended. A mail program that
    keeps its app password signs in again automatically.
    """
    person = cast(Person, request.user)
    ended = sessions.end_sessions(
        person, keeps_app_passwords=not ends_app_passwords, by=person
    )
    _stay(request, person)
    return ended


@transaction.atomic
def keep_only_this_session(request: HttpRequest) -> None:
    """Ends other sessions as part of a change that is recorded and notified elsewhere.

    App passwords stay valid.
    """
    person = cast(Person, request.user)
    sessions.revoke(person, keeps_app_passwords=True)
    _stay(request, person)


def _stay(request: HttpRequest, person: Person) -> None:
    """Keeps the current session and the known-browser cookie valid."""
    store.renew(request, person)
    update_session_auth_hash(request, person)
    known_browsers.remember(request, person)
