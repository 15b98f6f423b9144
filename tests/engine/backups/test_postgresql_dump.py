from __future__ import annotations

import socket

import psycopg
import pytest
from django.db import connection

from engine.backups import postgresql_dump


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite copies its file itself"
)
@pytest.mark.django_db
def test_a_dump_whose_disk_stalls_keeps_its_connection() -> None:
    """TCP_USER_TIMEOUT would end it after 3 seconds, from either end."""
    with psycopg.connect(**postgresql_dump.parameters()) as opened:
        server = opened.execute("SHOW tcp_user_timeout").fetchone()
        with socket.fromfd(opened.fileno(), socket.AF_INET, socket.SOCK_STREAM) as own:
            ours = own.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)

    assert server == ("0",)
    assert ours == 0
