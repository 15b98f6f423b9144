"""Whether this process can do its work: what load balancers and orchestrators ask."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache as once

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from redis import Redis
from redis.exceptions import RedisError

OK = "ok"
CACHE_SECONDS = 2.0
# Without these no request can be served. Without the shared cache all go on, with limits
# of each host's own: taking every host out of the balancer because of it would be worse.
NEEDED = ("process", "database", "migrations")


@dataclass
class _State:
    is_draining: bool = False


_state = _State()


@dataclass(frozen=True, slots=True)
class Readiness:
    """What each part answered, in a word; nothing that is secret."""

    parts: dict[str, str]

    @property
    def is_ready(self) -> bool:
        return all(self.parts.get(name, OK) == OK for name in NEEDED)

    @property
    def document(self) -> dict[str, object]:
        return {"status": "ready" if self.is_ready else "not ready", **self.parts}


def drain() -> None:
    """From now on say that this process takes nothing new: it is about to stop."""
    _state.is_draining = True


def look() -> Readiness:
    """Ask the database, its migrations, and the cache where hosts share one."""
    if _state.is_draining:
        return Readiness({"process": "stopping"})
    parts = {"database": _answer(_ask_database)}
    if parts["database"] == OK:
        parts["migrations"] = _answer(_ask_migrations)
    if settings.POSTERN.redis_url:
        parts["cache"] = _answer(ask_cache)
    return Readiness(parts)


def _answer(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except (DatabaseError, RedisError, OSError):
        return "does not answer"


def _ask_database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return OK


def _ask_migrations() -> str:
    try:
        _check_migrations()
    except _NotApplied:
        return "not applied"
    return OK


class _NotApplied(Exception):
    pass


@once
def _check_migrations() -> None:
    """Remembered once they are applied: reading them all takes a tenth of a second.

    Raises _NotApplied, which is not remembered.
    """
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise _NotApplied


def ask_cache() -> str:
    """Whether each server of the shared cache answers. Raises RedisError where not."""
    for url in re.split("[;,]", settings.POSTERN.redis_url):
        with Redis.from_url(
            url.strip(),
            socket_timeout=CACHE_SECONDS,
            socket_connect_timeout=CACHE_SECONDS,
        ) as client:
            client.ping()
    return OK
