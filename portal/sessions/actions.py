"""Ends a browser session."""

from __future__ import annotations

from django.db import transaction

from engine.audit.record import record
from engine.registry.models import Person
from portal.sessions.models import WebSession


@transaction.atomic
def end_session(session: WebSession, *, reason: str = "", by: Person) -> None:
    """Ends one session and records it; ending it again changes nothing."""
    person = session.person
    gone, _ = WebSession.objects.filter(pk=session.pk).delete()
    if not gone or person is None:
        return
    detail = {"browser": session.browser, "peer": session.peer}
    record(
        "person.session_ended",
        person,
        organisation_key=person.organisation_id,
        detail={**detail, **({"reason": reason} if reason else {})},
        by=by,
    )
