"""Sessions of browsers, kept so that their owner can see and end each.

Django's way of extending its own store (docs, "Extending database-backed session
engines"). `allauth.usersessions` was weighed: it keeps a second table of keys beside the
sessions, learns of their end only when somebody looks, and knows no idle end.
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
from django.http import HttpRequest

from engine.registry import permissions
from engine.registry.models import Person
from portal.sessions.user_agents import browser_of

if TYPE_CHECKING:
    from portal.sessions.models import WebSession

# Where a session's own facts stand in its data.
FACTS = "postern.session"
# How exact `seen` is, in seconds: a write for each request would cost more than most.
SEEN_EVERY = 60

Facts = dict[str, Any]


class SessionStore(DatabaseStore):
    """Django's sessions, whose rows say whose they are and end when they are idle."""

    @classmethod
    def get_model_class(cls) -> type[AbstractBaseSession]:
        return apps.get_model("web_sessions", "WebSession")

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
        # Django loads no session whose row has expired: this is what ends idle ones.
        row.expire_date = _moment(_end_of(facts))
        return row


def begin(request: HttpRequest, person: Person) -> None:
    """Note who has just signed in, from where and with what."""
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
    """Let a session that is used go on, up to its lifetime.

    A role of staff that was given meanwhile shortens its idle time here.
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
    """The name of the session that a request came with."""
    return str(request.session.get(FACTS, {}).get("id", ""))


def renew(request: HttpRequest, person: Person) -> None:
    """Keep this one session through the end of all the others of its owner."""
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
    """When it ends unless it is used before: idle, or at the end of its lifetime."""
    lifetime = settings.POSTERN.session_hours * 3600
    return float(min(facts["seen"] + facts["idle"], facts["opened"] + lifetime))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
