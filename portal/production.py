"""What must be right before the service serves real people."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from portal.environment import DEVELOPMENT_SIGNING_KEY, Environment

# Written by the demo community beside the state that it fills.
DEMO_FILE = "demo.json"
SHORTEST_SECRET = 50


class NotReadyError(ImproperlyConfigured):
    """The environment is not fit for production. The message says what to set."""


def check(environment: Environment) -> None:
    """Raise NotReadyError with every fault at once; nothing outside production."""
    if environment.env != "production":
        return
    faults = list(_faults(environment))
    if faults:
        lines = "\n".join(f"  - {fault}" for fault in faults)
        raise NotReadyError(
            f"Postern does not start with POSTERN_ENV=production:\n{lines}"
        )


def _faults(environment: Environment) -> Iterator[str]:
    if environment.path(DEMO_FILE).exists():
        yield (
            f"{environment.path()} holds the demo community. "
            "Set POSTERN_VAR to an empty folder."
        )
    if environment.secret_key == DEVELOPMENT_SIGNING_KEY:
        yield "The secret key is the public one. Set POSTERN_SECRET_KEY."
    elif len(environment.secret_key) < SHORTEST_SECRET:
        yield f"Set POSTERN_SECRET_KEY to at least {SHORTEST_SECRET} characters."
    if environment.debug:
        yield "Debugging shows secrets. Set POSTERN_DEBUG=false."
    is_sqlite = urlsplit(environment.database_url).scheme in ("", "sqlite")
    if is_sqlite and not environment.sqlite_in_production:
        yield (
            "The database is SQLite, for one machine only. Set POSTERN_DATABASE_URL to "
            "PostgreSQL, or POSTERN_SQLITE_IN_PRODUCTION=true."
        )
    if environment.clamd in ("", "off"):
        yield (
            "Mail would not be scanned by ClamAV. "
            "Set POSTERN_CLAMD to its socket or host:port."
        )
