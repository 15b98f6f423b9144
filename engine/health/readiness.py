"""Readiness: whether this process can serve, for load balancers and orchestrators."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache as once

from django.conf import settings
from django.db import DatabaseError, connection
from redis import Redis
from redis.exceptions import RedisError

from engine.database import due_migrations

OK = "ok"
CACHE_SECONDS = 2.0
# Without these no request can be served. Without the shared cache, hosts go on with rate
# limits of their own: taking all of them out of the balancer would be worse.
REQUIRED = ("process", "database", "migrations")


@dataclass
class _State:
    is_draining: bool = False


_state = _State()


@dataclass(frozen=True, slots=True)
class Readiness:
    """The state of each part in a word or two, without anything secret."""

    parts: dict[str, str]

    @property
    def is_ready(self) -> bool:
        """Whether every required part that was checked is ok."""
        return all(self.parts.get(name, OK) == OK for name in REQUIRED)

    @property
    def document(self) -> dict[str, object]:
        """The answer of /health/ready, as JSON."""
        return {"status": "ready" if self.is_ready else "not ready", **self.parts}


def drain() -> None:
    """Reports this process as not ready from now on, because it is about to stop."""
    _state.is_draining = True


def check() -> Readiness:
    """Checks the database, its migrations, and the shared cache where one is configured."""
    if _state.is_draining:
        return Readiness({"process": "stopping"})
    parts = {"database": _answer(_ping_database)}
    if parts["database"] == OK:
        parts["migrations"] = _answer(_check_migrations)
    if settings.POSTERN.redis_url:
        parts["cache"] = _answer(ping_cache)
    return Readiness(parts)


def _answer(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except (DatabaseError, RedisError, OSError):
        return "does not answer"


def _ping_database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return OK


def _check_migrations() -> str:
    try:
        _require_migrations()
    except _NotApplied:
        return "not applied"
    return OK


class _NotApplied(Exception):
    pass


@once
def _require_migrations() -> None:
    """Raises _NotApplied unless every migration is applied.

    Success is cached, because reading all migrations takes a tenth of a second; an
    exception is not, so that the next call looks again.
    """
    if due_migrations.unapplied():
        raise _NotApplied


def ping_cache() -> str:
    """Pings each server of the shared cache; returns OK. Raises RedisError or OSError."""
    for url in re.split("[;,]", settings.POSTERN.redis_url):
        with Redis.from_url(
            url.strip(),
            socket_timeout=CACHE_SECONDS,
            socket_connect_timeout=CACHE_SECONDS,
        ) as client:
            client.ping()
    return OK
