"""One version's side of `tracing`, run by that version's Python in its folder.

It uses only modules that earlier versions have too.
"""

from __future__ import annotations

import gc
import html
import json
import os
import re
import sys
import time
from pathlib import Path
from string import Template
from typing import Any

from tests.benchmarks import ready

# isort: split
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client

from engine.registry.models import Organisation
from engine.routing import routes
from engine.storage.models import Content
from engine.trace.models import Event
from portal.demo.certificates import Authority
from tests import factories
from tests.peers.process import remove_folder, wait_until
from tests.portal.conftest import sign_in

SQL = Path(__file__).with_name("tracing.sql")
OTHERS = 20  # organisations besides the one whose trace it is


def main(wanted: dict[str, Any]) -> None:
    _prepare()
    own, others = _organisations()
    _fill(own, others, wanted["messages"])
    routes.follow_in_background(at_once=True)
    wait_until(lambda: routes.last_loaded() is not None, "the routes")
    # As a web process does, in earlier versions too.
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    client = sign_in(Client(), own.people.get(), second_factor=True)
    print(json.dumps(_measure(client, own, wanted["rounds"])))


def _prepare() -> None:
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collect_assets", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    settings.ALLOWED_HOSTS.append("testserver")
    authority = Authority(ready.FOLDER / "tls")
    authority.issue("localhost", "127.0.0.1", kept_as="server")


def _organisations() -> tuple[Organisation, list[Organisation]]:
    made = []
    for number in range(OTHERS + 1):
        name = f"o{number}.secure.example"
        made.append(factories.make_organisation(name=name))
        factories.make_domain(made[-1], name)
    own, *others = made
    administrator = factories.make_person("admin@o0.secure.example", own)
    factories.make_administrator(administrator)
    return own, others


def _fill(own: Organisation, others: list[Organisation], messages: int) -> None:
    content = Content.objects.create(size=5000, body_digest="", header=b"", body=b"")
    given = {
        "own": own.pk,
        "first": others[0].pk,
        "others": OTHERS,
        "content": content.pk,
        "messages": messages,
        # Columns that earlier versions do not have.
        "received_by": ", received_by_id"
        if _has("queue_recipient", "received_by_id")
        else "",
        "receiver": ", receiver" if _has("queue_recipient", "received_by_id") else "",
        "refused_for": ", refused_for_id"
        if _has(Event._meta.db_table, "refused_for_id")
        else "",
        "refused": f", {own.pk}"
        if _has(Event._meta.db_table, "refused_for_id")
        else "",
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(Template(SQL.read_text()).substitute(given))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _has(table: str, column: str) -> bool:
    with connection.cursor() as cursor:
        described = connection.introspection.get_table_description(cursor, table)
    return column in {one.name for one in described}


def _measure(client: Client, own: Organisation, rounds: int) -> dict[str, Any]:
    trace = f"/organisation/{own.pk}/trace/"
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 4 * 86400))
    pages = {
        "the newest": trace,
        "of one day": f"{trace}?since={day}&until={day}",
        "by own sender": f"{trace}?sender=p1@o0.secure.example",
        "by own recipient": f"{trace}?recipient=p1@o0.secure.example",
        "by another's sender": f"{trace}?sender=p3@o2.secure.example",
        "by another's busy recipient": f"{trace}?recipient=busy@o1.secure.example",
    }
    if _has(Event._meta.db_table, "refused_for_id"):
        pages |= _new_pages(trace, day)
    found = {name: _times(client, url, rounds) for name, url in pages.items()}
    url = trace
    for _ in range(5):
        older = re.search(r'href="(\?[^"]*after=[^"]*)"', client.get(url).text)
        if older:
            url = trace + html.unescape(older[1])
    if url != trace:
        found["the sixth page"] = _times(client, url, rounds)
    return found


def _new_pages(trace: str, day: str) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) / 2 FROM queue_queuedmessage")
        (middle,) = cursor.fetchone()
        cursor.execute("SELECT max(reference) FROM trace_event WHERE kind = 'refused'")
        (reference,) = cursor.fetchone()
    return {
        "received": f"{trace}?shown=received",
        "received on one day": f"{trace}?shown=received&since={day}&until={day}",
        "refused": f"{trace}?shown=refused",
        "refused, by recipient": f"{trace}?shown=refused&recipient=r7@o3.secure.example",
        "refused, by a rare reason": f"{trace}?shown=refused&reason=zebra",
        "everything, by a rare reason": f"{trace}?reason=zebra",
        "far back": f"{trace}?after={middle}-{middle}",
        "one refused message": f"{trace}{reference}/",
        "figures": f"{trace}figures/",
    }


def _times(client: Client, url: str, rounds: int) -> dict[str, Any]:
    """Returns milliseconds of each request, and of processor time for one."""
    _request(client, url)  # fills caches: templates, and the database's
    times, before = [], _spent()
    for _ in range(rounds):
        began = time.perf_counter()
        _request(client, url)
        times.append((time.perf_counter() - began) * 1000)
    return {"times": times, "processor": (_spent() - before) * 1000 / rounds}


def _request(client: Client, url: str) -> None:
    answer = client.get(url)
    if answer.status_code != 200:
        raise RuntimeError(f"{url} answered {answer.status_code}")


def _spent() -> float:
    """Returns the seconds of processor time of this process and of its database's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    # The name in parentheses may hold spaces (proc(5)).
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = sum(map(int, fields[11:13]))
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    try:
        main(json.loads(sys.argv[1]))
    finally:
        connection.close()
        remove_folder(ready.FOLDER)
