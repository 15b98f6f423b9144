"""How long each page takes: whole requests, with middleware and templates, no network.

For each URL: wall time at the median and the 95th percentile, processor time of the web
process and of the database, which other work on the machine does not lengthen, the
statements, and the plan of the slowest one where the page is late.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks import ready

# isort: split
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.http.response import HttpResponseBase
from django.test import Client
from django.test.utils import CaptureQueriesContext

from engine.routing import routes
from portal.demo.certificates import Authority
from tests.peers.process import remove_folder, wait_until
from tests.scale import lists
from tests.scale.places import Place, Places, clients

GOAL = 100  # milliseconds at the 95th percentile
# Of one page: with more, it most likely asks for each row of its list again.
MOST_STATEMENTS = 25


@dataclass(frozen=True, slots=True)
class Measured:
    """One URL's times in milliseconds."""

    place: Place
    status: int
    p50: float
    p95: float
    web: float
    database: float
    statements: int
    slowest: str
    slowest_took: float


def main(wanted: dict[str, Any]) -> None:
    _prepare()
    seen: Counter[int] = Counter()
    late: list[Measured] = []
    asking = 0
    by_visitor = clients()
    for place in Places().all():
        if wanted["only"] not in place.url:
            continue
        if wanted["lists"] and place.route not in lists.QUERIES:
            continue
        found = _measure(place, by_visitor[place.visitor], wanted["rounds"])
        seen[found.status] += 1
        _show(found)
        asking += found.statements > MOST_STATEMENTS
        if found.status == 200 and found.p95 > GOAL:
            late.append(found)
            print("\n".join(_plan(found)), flush=True)
    counted = ", ".join(f"{count} answered {status}" for status, count in seen.items())
    print(f"{sum(seen.values())} pages: {counted}")
    print(
        f"{len(late)} over {GOAL} ms at the 95th percentile,"
        f" {sum(one.web + one.database > GOAL for one in late)} of them in processor time;"
        f" {asking} with more than {MOST_STATEMENTS} statements"
    )


def _prepare() -> None:
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collect_assets", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    settings.ALLOWED_HOSTS.append("testserver")
    authority = Authority(ready.FOLDER / "tls")
    authority.issue("localhost", "127.0.0.1", kept_as="server")
    # No key is to be told to wait.
    settings.POSTERN = settings.POSTERN.model_copy(update={"api_calls_a_minute": 10**9})
    routes.follow_in_background(at_once=True)
    wait_until(lambda: routes.last_loaded() is not None, "the routes")


def _measure(place: Place, client: Client, rounds: int) -> Measured:
    status = _request(client, place.url)
    with CaptureQueriesContext(connection) as captured:
        _request(client, place.url)
    # The next request empties the log that these are a slice of.
    queries = list(captured.captured_queries)
    slowest = max(queries, key=_took, default={"sql": "", "time": 0})
    times, web, database = [], time.process_time(), _spent_by_database()
    if status == 200:
        for _ in range(rounds):
            began = time.perf_counter()
            _request(client, place.url)
            times.append((time.perf_counter() - began) * 1000)
    web, database = time.process_time() - web, _spent_by_database() - database
    times = sorted(times) or [0.0]
    return Measured(
        place,
        status,
        statistics.median(times),
        times[math.ceil(len(times) * 0.95) - 1],
        web * 1000 / len(times),
        database * 1000 / len(times),
        len(queries),
        slowest["sql"],
        _took(slowest) * 1000,
    )


def _request(client: Client, url: str) -> int:
    response: HttpResponseBase = client.get(url)
    if response.streaming:
        for _ in response:  # to the end, as a browser reads it
            pass
    return response.status_code


def _spent_by_database() -> float:
    """Returns the seconds of processor time of all the server's processes.

    A page may be answered by several: parallel workers, and a second session.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    server = int(_fields_of(pid)[1])
    running = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    ticks = sum(map(int, _fields_of(server)[13:15]))  # of those that have ended
    for child in running:
        # A process may end between the opening of its file and the reading.
        with suppress(FileNotFoundError, ProcessLookupError):
            ticks += sum(map(int, _fields_of(int(child))[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _fields_of(pid: int) -> list[str]:
    """Returns what proc(5) says of a process in stat, from its state (3) on."""
    # The name in parentheses before them may hold spaces.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _took(query: dict[str, Any]) -> float:
    return float(query["time"])


def _show(found: Measured) -> None:
    place = found.place
    print(
        f"{found.p50:7.1f} {found.p95:7.1f} ms, processor {found.web:6.1f} web"
        f" {found.database:6.1f} database, {found.statements:3} statements, the slowest"
        f" {found.slowest_took:6.1f} ms,"
        f" {found.status} {place.visitor} {place.url}",
        flush=True,
    )


def _plan(found: Measured) -> Iterator[str]:
    yield f"    {found.slowest[:2000]}"
    if not found.slowest.startswith("SELECT"):
        return
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + found.slowest)
        for (line,) in cursor.fetchall():
            yield f"    {line}"


if __name__ == "__main__":
    try:
        main(json.loads(sys.argv[1]))
    finally:
        remove_folder(ready.FOLDER)
