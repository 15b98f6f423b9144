"""Actions that end a person's sessions: web, POP3, submission, and app passwords."""

from __future__ import annotations

from django.db.models import F
from django.utils import timezone

from engine.registry import change_log
from engine.registry.models import Actor, AppPassword, Organisation, Person
from engine.registry.verbs import record_action, verb


@verb
def end_sessions(
    person: Person,
    *,
    keeps_app_passwords: bool = False,
    reason: str = "",
    by: Actor | None,
) -> list[str]:
    """Ends every web, POP3 and submission session of a person, on every host.

    Web sessions end at their next request, mail sessions at their next command. App
    passwords end too: after a recovery or a suspension none may be left to a person who
    made one before. Only when the owner signs out everywhere by choice are they kept;
    mail clients then simply sign in again. Returns the names of those that ended.
    """
    ended = revoke(person, keeps_app_passwords=keeps_app_passwords)
    record_action(
        "person.sessions_ended", person, {"app_passwords": ended}, reason=reason, by=by
    )
    return ended


def revoke(person: Person, *, keeps_app_passwords: bool = False) -> list[str]:
    """Ends a person's sessions as part of another action, which records and notifies.

    Returns the names of the app passwords that ended.
    """
    # Open mail sessions look at the generation again when the change log grows, and
    # this update changes nothing that is logged by itself.
    change_log.record_other()
    # A count rather than a time: hosts' clocks differ, and a session opened in the same
    # millisecond would be on either side of it.
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


def revoke_all_of(
    organisation: Organisation, *, ends_app_passwords: bool = False
) -> int:
    """Ends the sessions of an organisation's people as part of another action.

    App passwords that are kept open nothing while the organisation is suspended, and
    work again when it is resumed. Returns how many app passwords ended.
    """
    change_log.record_other()
    Person.objects.filter(organisation=organisation).update(
        session_generation=F("session_generation") + 1
    )
    if not ends_app_passwords:
        return 0
    live = AppPassword.objects.live().filter(person__organisation=organisation)
    return live.update(revoked_at=timezone.now())
