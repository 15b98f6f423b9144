"""Ending what a person is signed in with: web sessions, mail programs, app passwords."""

from __future__ import annotations

from django.db.models import F
from django.utils import timezone

from engine.audit.record import record
from engine.registry import change_log
from engine.registry.actor import Actor
from engine.registry.models import AppPassword, Organisation, Person
from engine.registry.verbs import verb


@verb
def end_sessions(
    person: Person,
    *,
    keeps_app_passwords: bool = False,
    reason: str = "",
    by: Actor | None,
) -> list[str]:
    """End every web, POP3 and submission session of a person, wherever it is open.

    Web sessions end at their next request, mail sessions at their next command. App
    passwords end too: after a recovery or a suspension none may be left to the person
    who made one before. Only where the owner signs out everywhere by choice are they
    kept, and then the mail programs simply sign in again. Returns the names of those
    that ended.
    """
    ended = close(person, keeps_app_passwords=keeps_app_passwords)
    detail = {"app_passwords": ended, **({"reason": reason} if reason else {})}
    record(
        "person.sessions_ended",
        person,
        organisation_key=person.organisation_id,
        detail=detail,
        by=by,
    )
    return ended


def close(person: Person, *, keeps_app_passwords: bool = False) -> list[str]:
    """The same as a part of another act, which records it and notifies the person.

    The registry's version moves, by which open mail sessions know to look again.
    """
    change_log.bump()
    Person.objects.filter(pk=person.pk).update(
        session_generation=F("session_generation") + 1
    )
    person.refresh_from_db(fields=["session_generation"])
    if keeps_app_passwords:
        return []
    live = person.app_passwords.live()
    names = list(live.order_by("id").values_list("name", flat=True))
    live.update(revoked_at=timezone.now())
    return names


def close_all_of(
    organisation: Organisation, *, ends_app_passwords: bool = False
) -> int:
    """End every session of an organisation's people, as a part of another verb.

    App passwords that stay open nothing while the organisation is suspended, and work
    again when it is resumed; sessions do not revive. Returns how many app passwords
    ended.
    """
    change_log.bump()
    Person.objects.filter(organisation=organisation).update(
        session_generation=F("session_generation") + 1
    )
    if not ends_app_passwords:
        return 0
    live = AppPassword.objects.live().filter(person__organisation=organisation)
    return live.update(revoked_at=timezone.now())
