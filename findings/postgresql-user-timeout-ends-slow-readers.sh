#!/usr/bin/env bash
# PostgreSQL 15's tcp_user_timeout ends clients that live and read nothing for as long.
#
# Its documentation speaks of transmitted data that remains unacknowledged, so that the
# setting looks like a time-out for dead peers. Linux counts data that cannot be transmitted
# too, because the peer's window is closed, although the peer's kernel answers every probe
# (tcp(7); since Linux 5.11). A client that pauses in a large result, such as a pg_dump whose
# disk stalls, is disconnected: "server closed the connection unexpectedly". libpq's
# parameter of the same name does the same the other way round, where a server that loads a
# dump waits for its disk.
#
# The remedy is "-c tcp_user_timeout=0" for connections that stream. Seen on Linux 6.18:
#   3000 ms: OperationalError after 135135 of 200200000 octets
#   0 ms: all
#
# Needs PostgreSQL and psycopg. Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
programs=$(find /usr/lib/postgresql -maxdepth 2 -name bin | sort -V | tail -1)
as=()
if [ "$(id -u)" = 0 ]; then
  chown postgres "$folder"
  as=(setpriv --reuid=postgres --regid=postgres --init-groups)
fi
cd "$folder"
"${as[@]}" "$programs/initdb" -U postgres -A trust -D data >/dev/null
"${as[@]}" "$programs/postgres" -D data -p 28765 -c unix_socket_directories= \
  2>server.log &
server=$!
trap 'kill -INT $server; wait $server || true; rm -rf "$folder"' EXIT
until "$programs/pg_isready" -q -h 127.0.0.1 -p 28765; do sleep 0.1; done

cat >read.py <<'END'
import sys
import time

import psycopg

URL = "postgresql://postgres@127.0.0.1:28765/postgres"
ROWS, WIDTH = 200_000, 1_000


def read_with_a_pause(milliseconds: int) -> bool:
    """Returns whether a client that pauses for 9 seconds gets everything."""
    octets = 0
    options = f"-c tcp_user_timeout={milliseconds}"
    with psycopg.connect(URL, options=options) as connection:
        rows = f"SELECT repeat('x', {WIDTH}) FROM generate_series(1, {ROWS})"
        try:
            with connection.cursor().copy(f"COPY ({rows}) TO STDOUT") as copy:
                for number, some in enumerate(copy):
                    octets += len(some)
                    if number == 100:
                        time.sleep(9)
        except psycopg.OperationalError:
            whole = ROWS * (WIDTH + 1)
            print(f"{milliseconds} ms: OperationalError after {octets} of {whole} octets")
            return False
    print(f"{milliseconds} ms: all")
    return True


sys.exit(read_with_a_pause(3000) or not read_with_a_pause(0))
END
if python3 read.py; then
  echo "As described"
else
  echo "It has changed"
  exit 1
fi
