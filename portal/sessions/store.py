"""The session engine: Django's, extended so that owners can list and end sessions.

It follows Django's documentation ("Extending database-backed session engines").
`allauth.usersessions` was considered: it keeps a second table of keys beside the sessions,
notices that one ended only when it is listed, and has no idle time-out.
"""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from django.apps import apps
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from engine.database.prepared_queries import PreparedQuery
from engine.registry import permissions
from engine.registry.models import Person
from engine.registry.permissions import roles_held
from portal.sessions.user_agents import browser_of

if TYPE_CHECKING:
    from portal.sessions.models import WebSession

# The key of our own facts in the session's data.
FACTS = "postern.session"
# The precision of `seen` in seconds: a write for each request would cost more than the
# page itself.
SEEN_EVERY = 60

Facts = dict[str, Any]


def _sessions(session_key: str) -> QuerySet[WebSession]:
    model = cast("type[WebSession]", SessionStore.get_model_class())
    rows = model.objects.select_related("person__organisation")
    roles = roles_held.column("web_sessions_websession.person_id")
    return rows.annotate(roles=roles).filter(session_key=session_key)


_SESSION = PreparedQuery(_sessions)


class SessionStore(DatabaseStore):
    """Stores sessions with their person, and lets them expire when idle."""

    @classmethod
    def get_model_class(cls) -> type[AbstractBaseSession]:
        return apps.get_model("web_sessions", "WebSession")

    # Whose session it was when it was loaded, with their organisation.
    person: Person | None = None

    def load(self) -> Facts:
        """Loads the session and, in the same statement, its person with their roles."""
        row = _SESSION.first(self.session_key or "")
        if row is None or row.expire_date <= timezone.now():
            self._session_key = None
            return {}
        self.person = row.person
        if row.person is not None:
            roles_held.keep(row.person, vars(row)["roles"])
        return self.decode(row.session_data)

    def create_model_instance(self, data: Facts) -> AbstractBaseSession:
        row = cast("WebSession", super().create_model_instance(data))
        facts = data.get(FACTS)
        if SESSION_KEY not in data or not facts:
            return row
        row.person_id = int(data[SESSION_KEY])
        row.public_id = facts["id"]
        row.generation = facts["generation"]
        row.opened_at = _moment(facts["opened"])
        row.seen_at = _moment(facts["seen"])
        row.peer, row.browser = facts["peer"], facts["browser"]
        # Django loads no expired row: this is what ends idle sessions.
        row.expire_date = _moment(_end_of(facts))
        return row


def begin(request: HttpRequest, person: Person) -> None:
    """Stores in the session who signed in, from which address and with which browser."""
    now = time.time()
    request.session[FACTS] = {
        "id": secrets.token_hex(16),
        "generation": person.session_generation,
        "opened": now,
        "seen": now,
        "idle": _idle_seconds(person),
        "peer": request.META.get("REMOTE_ADDR", ""),
        "browser": browser_of(request.META.get("HTTP_USER_AGENT", "")),
    }


def keep(request: HttpRequest, person: Person) -> None:
    """Extends a session that is used, up to its maximum lifetime.

    The idle time is computed again, because a new staff role shortens it.
    """
    facts = request.session.get(FACTS)
    if facts is None:
        begin(request, person)
    elif time.time() - facts["seen"] >= SEEN_EVERY:
        request.session[FACTS] = {
            **facts,
            "seen": time.time(),
            "idle": _idle_seconds(person),
            "peer": request.META.get("REMOTE_ADDR", ""),
        }


def id_of(request: HttpRequest) -> str:
    """Returns the public id of the request's session."""
    return str(request.session.get(FACTS, {}).get("id", ""))


def renew(request: HttpRequest, person: Person) -> None:
    """Keeps this session valid when all others of its owner are ended."""
    facts = request.session.get(FACTS)
    if facts is not None:
        request.session[FACTS] = {**facts, "generation": person.session_generation}


def _idle_seconds(person: Person) -> int:
    ours = settings.POSTERN
    minutes = (
        ours.staff_session_idle_minutes
        if permissions.is_privileged(person)
        else ours.session_idle_minutes
    )
    return int(minutes) * 60


def _end_of(facts: Facts) -> float:
    """Returns the time at which the session expires unless it is used before."""
    lifetime = settings.POSTERN.session_hours * 3600
    return float(min(facts["seen"] + facts["idle"], facts["opened"] + lifetime))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
