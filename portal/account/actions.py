"""What a person does to their own ways in, beyond what allauth does."""

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
    """Make a secret for a mail program, and notify the person that it was made.

    Whoever sits down at an unlocked screen could make one unseen otherwise.
    """
    made, secret = people.add_app_password(
        person, name=name, expires_at=expires_at, by=by
    )
    tasks.tell_of_change(person, "app_password_added")
    return made, secret


@transaction.atomic
def sign_out_elsewhere(request: HttpRequest, *, ends_app_passwords: bool) -> list[str]:
    """End every session of the person who asks, except the one they ask with.

    Returns the names of the app passwords that ended. Mail programs that keep theirs
    sign in again by themselves.
    """
    person = cast(Person, request.user)
    ended = sessions.end_sessions(
        person, keeps_app_passwords=not ends_app_passwords, by=person
    )
    _stay(request, person)
    return ended


@transaction.atomic
def keep_only_this_session(request: HttpRequest) -> None:
    """The same as a part of another change, which is recorded and announced by itself.

    Mail programs keep their app passwords.
    """
    person = cast(Person, request.user)
    sessions.revoke(person, keeps_app_passwords=True)
    _stay(request, person)


def _stay(request: HttpRequest, person: Person) -> None:
    """Carry the one session, and the browser's cookie, over the end of all others."""
    store.renew(request, person)
    update_session_auth_hash(request, person)
    known_browsers.remember(request, person)
