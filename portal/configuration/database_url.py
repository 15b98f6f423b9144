"""Parses POSTERN_DATABASE_URL into Django's DATABASES."""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path
from socket import gethostname
from typing import Any
from urllib.parse import unquote, urlsplit

from psycopg import Error, pq
from psycopg.conninfo import conninfo_to_dict

# Django's names for libpq's parameters; all others are passed to libpq unchanged.
_NAMES = {
    "dbname": "NAME",
    "user": "USER",
    "password": "PASSWORD",
    "host": "HOST",
    "port": "PORT",
}
_SCHEMES = ("postgresql://", "postgres://")
# A dead peer is noticed after 3 seconds. A host that loses its power or its network says
# nothing, and Linux waits for two hours. Our own threads would wait for a server that was
# replaced long ago, and the server would keep the locks of a host that is gone, on which
# all other hosts wait. A statement that begins just before an idle connection is found
# dead waits for 3 seconds more: together about as long as load balancers need to notice.
CLIENT_OPTIONS = {
    "connect_timeout": "3",
    "keepalives_idle": "1",
    "keepalives_interval": "1",
    "keepalives_count": "2",
    "tcp_user_timeout": "3000",
}
SERVER_OPTIONS = (
    "-c tcp_keepalives_idle=1 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=2 "
    "-c tcp_user_timeout=3000"
)
_UNKNOWN = re.compile(r'invalid URI query parameter: "([^"]*)"')


def is_sqlite(url: str) -> bool:
    """Returns whether the URL means SQLite, as the empty one does."""
    return not url or url.startswith("sqlite:")


def check(url: str) -> None:
    """Raises ValueError with what to change. The message contains no part of the password."""
    if is_sqlite(url):
        if urlsplit(url).query:
            raise ValueError("POSTERN_DATABASE_URL: sqlite:///path takes no options.")
        return
    parameters = _parameters(url)
    if not parameters.get("dbname") and not parameters.get("service"):
        raise ValueError(
            "POSTERN_DATABASE_URL names no database. Write "
            "postgresql://user:password@host/name."
        )
    # The name of an abstract socket begins with @ (libpq 14).
    if "@" in str(parameters.get("host", ""))[1:]:
        raise ValueError(
            "POSTERN_DATABASE_URL has more than one @. Write the password's own as %40."
        )


def settings_of(url: str, *, var: Path) -> dict[str, Any]:
    """Returns the entry for Django's DATABASES of a URL that `check` has accepted.

    `var` is the folder for the default SQLite file.
    """
    if is_sqlite(url):
        return _sqlite(unquote(urlsplit(url).path) or var / "postern.sqlite3", var)
    parameters = _parameters(url)
    own = {ours: parameters.pop(name, "") for name, ours in _NAMES.items()}
    # Shown in pg_stat_activity; an application_name in the URL takes precedence.
    parameters.setdefault("fallback_application_name", f"postern@{gethostname()}")
    # The server takes the last of several, which is the URL's.
    options = f"{SERVER_OPTIONS} {parameters.pop('options', '')}".rstrip()
    return {
        "ENGINE": "engine.database.postgresql",
        "CONN_MAX_AGE": 60,
        **own,
        "OPTIONS": {**CLIENT_OPTIONS, **parameters, "options": options},
    }


def _sqlite(name: str | Path, var: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": name,
        # Opening costs more than most transactions, and a file connection never breaks.
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # FULL: a commit is on the disk before the reply that promises it.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
            "PRAGMA cache_size=-16000; PRAGMA foreign_keys=ON;",
        },
        "TEST": {"NAME": var / "test.sqlite3"},
    }


def _parameters(url: str) -> dict[str, Any]:
    """Parses a URL with libpq's own parser (PostgreSQL 18, 32.1.1.2). Raises ValueError.

    Several hosts are returned as one comma-separated text, which is libpq's own format.
    """
    if not url.startswith(_SCHEMES):
        raise ValueError(
            "POSTERN_DATABASE_URL must begin with postgresql:// or sqlite:///."
        )
    try:
        return conninfo_to_dict(url)
    except Error as error:
        raise ValueError(_sentence(str(error))) from None


def _sentence(error: str) -> str:
    unknown = _UNKNOWN.search(error)
    if unknown is None:
        # After the colon libpq may quote the whole URL, including the password.
        return (
            f"POSTERN_DATABASE_URL cannot be read: {error.partition(': ')[0].strip()}."
        )
    known = [option.keyword.decode() for option in pq.Conninfo.get_defaults()]
    close = get_close_matches(unknown[1], known, n=1)
    hint = f' Did you mean "{close[0]}"?' if close else ""
    return (
        f'POSTERN_DATABASE_URL has the option "{unknown[1]}", which libpq '
        f"{pq.version() // 10_000} does not know.{hint}"
    )
