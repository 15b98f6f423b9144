"""One version's side of `registry_change`, run by that version's Python in its folder.

It uses only modules that much older versions have too.
"""

from __future__ import annotations

import json
import smtplib
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks import ready

# isort: split
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from engine.registry.actions import connections, domains, organisations, people
from engine.registry.models import AccountType, Kind, Organisation, Proof
from portal.demo.certificates import Authority
from tests.peers.process import Daemon, answers, remove_folder, wait_until

ENGINE = Path(__file__).with_name("registry_change_engine.py")
SENDER = "clerk@firm.example"
HOSTED = "court.secure.example"
SESSIONS = 2
PATIENCE = 900.0
PEOPLE_EACH = 10_000  # rows of one COPY


def main(wanted: dict[str, Any]) -> None:
    authority = Authority(ready.FOLDER / "tls")
    authority.issue("localhost", "127.0.0.1", kept_as="server")
    call_command("migrate", interactive=False, verbosity=0)
    court = _community()
    _fill(wanted["people"], wanted["organisations"])
    measured = ready.FOLDER / "measured"
    measured.mkdir()
    with ExitStack() as stack:
        stack.enter_context(_engine(measured, wanted["processes"]))
        if wanted["imported"]:
            # Before anything is measured: its start costs more than the import.
            stack.enter_context(_worker())
        traffic = Traffic(authority.ca_file, wanted["every"])
        stack.enter_context(traffic.flowing())
        found = _measure(court, measured, traffic, wanted)
    print(json.dumps(found))


def _measure(
    court: Organisation, measured: Path, traffic: Traffic, wanted: dict[str, Any]
) -> dict[str, Any]:
    time.sleep(wanted["warm_up"])
    began = time.time()
    time.sleep(wanted["pause"] * wanted["changes"])
    idle = _spent(measured, began, time.time())
    quiet = traffic.seconds(began)
    changed = time.time()
    for number in range(wanted["changes"]):
        people.add(
            court, address=f"new{number}@{HOSTED}", name=f"New {number}", by=None
        )
        time.sleep(wanted["pause"])
    # The last change may take as long as loading everything.
    time.sleep(wanted["after"])
    spent = _spent(measured, changed, time.time())
    beside_changes = traffic.seconds(changed)
    importing = time.time()
    took = _import(court, wanted["imported"]) if wanted["imported"] else 0.0
    beside_import = traffic.seconds(importing) if wanted["imported"] else []
    return {
        "idle": idle,
        "changing": spent,
        "importing": _spent(measured, importing, time.time()),
        "import_seconds": took,
        "quiet": quiet,
        "beside_changes": beside_changes,
        "beside_import": beside_import,
    }


@dataclass
class Traffic:
    """Messages from a member's server to hosted mailboxes, on two connections."""

    ca_file: Path
    every: float
    done: list[tuple[float, float]] = field(default_factory=list)

    @contextmanager
    def flowing(self) -> Iterator[None]:
        stop = threading.Event()
        threads = [
            threading.Thread(target=self._send, args=[number, stop])
            for number in range(SESSIONS)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def seconds(self, since: float) -> list[float]:
        """Returns how long each message took that was begun after `since`."""
        return [took for at, took in list(self.done) if at >= since]

    def _send(self, number: int, stop: threading.Event) -> None:
        context = ssl.create_default_context(cafile=str(self.ca_file))
        count = 0
        with smtplib.SMTP(
            "localhost", settings.POSTERN.smtp_port, timeout=60
        ) as client:
            client.starttls(context=context)
            while not stop.wait(self.every * SESSIONS):
                key = f"{number}-{count}"
                text = f"From: {SENDER}\r\nSubject: {key}\r\nMessage-ID: <{key}@x>\r\n"
                began, at = time.perf_counter(), time.time()
                client.sendmail(
                    SENDER, [f"user{count % 4}@{HOSTED}"], f"{text}\r\nHello\r\n"
                )
                self.done.append((at, time.perf_counter() - began))
                count += 1


def _spent(measured: Path, since: float, until: float) -> list[dict[str, Any]]:
    """Returns what each engine process used in a span, from the lines that it wrote."""
    time.sleep(1.0)  # until the last line of the span is written
    found = []
    for path in sorted(measured.glob("*.jsonl")):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        before = [one for one in lines if one["at"] <= since][-1]
        within = [one for one in lines if since < one["at"] <= until + 0.6]
        late = sorted(one for line in within for one in line["late"])
        found.append(
            {
                "process": within[-1]["process"] - before["process"],
                "following": within[-1]["following"] - before["following"],
                "seconds": within[-1]["at"] - before["at"],
                "memory": [before["memory"], within[-1]["memory"]],
                "late": late[min(len(late) * 99 // 100, len(late) - 1)],
                "latest": late[-1],
            }
        )
    return found


def _community() -> Organisation:
    firm = _organisation(Kind.LAW_FIRM, AccountType.SMTP, "firm.example")
    connections.add(firm, proof=Proof.SOURCE, source_networks=["127.0.0.1/32"], by=None)
    court = _organisation(Kind.COURT, AccountType.WEBMAIL, HOSTED)
    for number in range(4):
        address = f"user{number}@{HOSTED}"
        people.add(court, address=address, name=f"User {number}", by=None)
    return court


def _organisation(kind: Kind, account_type: AccountType, domain: str) -> Organisation:
    made = organisations.add(name=domain, kind=kind, account_type=account_type, by=None)
    domains.verify(domains.add(made, member_domain=domain, by=None), by=None)
    organisations.activate(made, by=None)
    return made


def _fill(people_count: int, organisation_count: int) -> None:
    """Creates a whole country's rows directly, before any process reads them."""
    now = timezone.now()
    with connection.cursor() as cursor:
        _copy(
            cursor,
            "registry_organisation",
            "id name kind account_type status town mfa_required created_at",
            (
                (1000 + n, f"Chambers {n}", "barrister", "webmail", "active", "Leeds",
                 False, now)
                for n in range(organisation_count)
            ),
        )  # fmt: skip
        _copy(
            cursor,
            "registry_domain",
            "organisation_id member_domain community_domain verified_at created_at",
            (
                (1000 + n, f"c{n}.secure.example", f"c{n}.secure.example", now, now)
                for n in range(organisation_count)
            ),
        )
        _copy(
            cursor,
            "registry_person",
            _PERSON,
            _people(people_count, now, organisation_count),
        )
        _copy(
            cursor,
            "registry_mailbox",
            _MAILBOX,
            _mailboxes(people_count, now, organisation_count),
        )
        for table in ("registry_organisation", "registry_person", "registry_mailbox"):
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) "
                f"FROM {table}"
            )
        cursor.execute("ANALYZE")


_PERSON = (
    "id password is_superuser address organisation_id name job_title phone town"
    " is_ex_directory everyday_address is_active created_at session_generation"
)
_MAILBOX = (
    "id address name kind organisation_id owner_id is_active is_published"
    " quota_bytes used_bytes created_at"
)


def _people(count: int, now: Any, organisations: int) -> Iterator[tuple[Any, ...]]:
    for n in range(count):
        at = n % organisations
        yield (
            1000 + n, "!", False, f"jane.smith{n}@c{at}.secure.example", 1000 + at,
            f"Jane Smith {n}", "", "", "Leeds", False, "", True, now, 0,
        )  # fmt: skip


def _mailboxes(count: int, now: Any, organisations: int) -> Iterator[tuple[Any, ...]]:
    for n in range(count):
        at = n % organisations
        yield (
            1000 + n, f"jane.smith{n}@c{at}.secure.example", f"Jane Smith {n}",
            "personal", 1000 + at, 1000 + n, True, True, 5 * 1024**3, 0, now,
        )  # fmt: skip


def _copy(cursor: Any, table: str, columns: str, rows: Iterator[Any]) -> None:
    names = ", ".join(columns.split())
    with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


@contextmanager
def _engine(measured: Path, processes: int) -> Iterator[None]:
    engine = Daemon(
        [sys.executable, str(ENGINE), "run_engine"],
        settings.POSTERN.path("engine.log"),
        env={"MEASURED": str(measured), "POSTERN_ENGINE_PROCESSES": str(processes)},
    )
    try:
        engine.wait_for(lambda: answers(settings.POSTERN.smtp_port), PATIENCE)
        wait_until(
            lambda: len(list(measured.glob("*.jsonl"))) == processes,
            "every process of the engine",
            PATIENCE,
        )
        yield
    finally:
        engine.stop()


def _import(court: Organisation, count: int) -> float:
    """Returns how many seconds a worker takes to import a file of people."""
    model = apps.get_model("organisation", "PeopleFile")
    rows = [
        {"name": f"Import {n}", "address": f"import{n}@{HOSTED}"} for n in range(count)
    ]
    file = model.objects.create(
        organisation=court, name="people.csv", rows=rows, status="checked"
    )
    began = time.perf_counter()
    _start(file)
    wait_until(lambda: _is_done(model, file.pk), "the import", PATIENCE)
    return time.perf_counter() - began


@contextmanager
def _worker() -> Iterator[None]:
    worker = Daemon(
        [sys.executable, "manage.py", "run_worker"],
        settings.POSTERN.path("worker.log"),
    )
    try:
        yield
    finally:
        worker.stop()


def _start(file: Any) -> None:
    from portal.organisation.people_file import actions

    actions.start(file, by=None)


def _is_done(model: Any, pk: int) -> bool:
    time.sleep(0.5)
    # Not the rows: reading them would hold up the traffic, which this process sends too.
    return bool(model.objects.filter(pk=pk, status="done").exists())


if __name__ == "__main__":
    try:
        main(json.loads(sys.argv[1]))
    finally:
        remove_folder(ready.FOLDER)
