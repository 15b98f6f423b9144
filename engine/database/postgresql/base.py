"""The backend itself; Django demands a module of this name.

POSTERN_DATABASE_URL may name several servers, of which one accepts writes. libpq and psycopg
try them in the order of the URL, so that after a failover each new connection would wait
for the lost primary until it times out.
"""

from __future__ import annotations

import time
from typing import Any

from django.db.backends.postgresql import base

from engine.database.dead_connections import has_ended

# Host and port, as the URL has them.
Server = tuple[str, str]
# When each server last failed a connection, by the monotonic clock. All threads share it.
_failed_at: dict[Server, float] = {}


class DatabaseWrapper(base.DatabaseWrapper):
    """Connects to the servers in the order of their last failure, longest ago first."""

    _server: Server | None = None

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connects to the first of the servers that accepts, and remembers those before."""
        servers = sorted(_servers(conn_params), key=_last_failure)
        if len(servers) < 2:
            return super().get_new_connection(conn_params)
        hosts, ports = zip(*servers, strict=True)
        order = {"host": ",".join(hosts), "port": ",".join(ports)}
        made = super().get_new_connection(conn_params | order)
        self._server = (made.info.host, str(made.info.port))
        if self._server in servers:
            for failed in servers[: servers.index(self._server)]:
                _failed_at[failed] = time.monotonic()
        return made

    def close(self) -> None:
        """Closes the connection, and remembers a server that was lost."""
        if self._server and self.connection is not None and has_ended(self.connection):
            _failed_at[self._server] = time.monotonic()
        super().close()


def _servers(conn_params: dict[str, Any]) -> list[Server]:
    """Returns the servers; none where their order is left to libpq."""
    if "hostaddr" in conn_params or "load_balance_hosts" in conn_params:
        return []
    hosts = str(conn_params.get("host", "")).split(",")
    ports = str(conn_params.get("port", "")).split(",")
    if len(ports) == 1:
        ports *= len(hosts)
    # libpq's default, which a connection reports as its port.
    return [(host, port or "5432") for host, port in zip(hosts, ports, strict=False)]


def _last_failure(server: Server) -> float:
    return _failed_at.get(server, 0.0)
