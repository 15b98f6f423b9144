"""Two hosts of the service and their shared parts, each of which can be broken."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self

import psycopg

from portal.demo.certificates import Authority
from tests import migrated
from tests.next_hop import NextHop
from tests.peers import mpop
from tests.peers.clamd import Clamd
from tests.peers.postern import PORTS
from tests.peers.postfix import Postfix
from tests.peers.postgres import Postgres
from tests.peers.process import (
    Daemon,
    command_line,
    free_port,
    open_folder,
    process_tree,
    remove_folder,
)
from tests.peers.redis import Redis
from tests.soak.ledger import numbers_in
from tests.upgrade.versions import HOME

SUFFIX = "secure.example"
FIRM = "marlowfinch.example"
OPERATOR = "operators@watch.example"
# The reader of the messages sent each way. Mei writes those to a server.
READERS = {
    "from a server": "ben@northgate",
    "through Postfix": "priya@northgate",
    "webmail": "david@harbour",
}
DISK = "256m"
LASTING = """
    SELECT rule, subject FROM health_alarm WHERE ended_at IS NULL AND calm_since IS NULL
"""
WAITING = """
    SELECT content.header FROM queue_recipient AS recipient
    JOIN queue_queuedmessage AS message ON message.id = recipient.message_id
    JOIN storage_content AS content ON content.id = message.content_id
    WHERE recipient.status IN ('queued', 'held')
"""
ACCEPTED = re.compile(rb"\] accepted +\[postern\.mail\]")
# Seconds for migrating and loading the demo community on a slow machine.
PATIENCE = 240


class Entry(Protocol):
    """Where clients connect: a host, or a load balancer in front of several."""

    @property
    def ports(self) -> Mapping[str, int]: ...

    @property
    def ca_file(self) -> Path: ...


class Host:
    """`manage.py up` with its own ports and a clock that can be moved.

    `inside` precedes the command, to run it in a network namespace.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        environment: Mapping[str, str],
        inside: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.folder = folder
        self.state = Path(environment["POSTERN_VAR"])
        self.inside = list(inside)
        self.ports = {port: free_port() for port in PORTS.values()}
        self.clock_file = folder / f"{name}.clock"
        self.move_clock(0)
        # The version that it runs, and a Python with that version's packages.
        self.home, self.python = HOME, sys.executable
        self.environment = {
            "POSTERN_WEB_URL": f"http://localhost:{self.ports['web']}",
            **environment,
            **{f"POSTERN_{env}_PORT": str(self.ports[p]) for env, p in PORTS.items()},
            "PYTHONPATH": str(Path(__file__).parent / "clock"),
            "POSTERN_SOAK_CLOCK": str(self.clock_file),
        }
        self._daemon: Daemon | None = None

    @property
    def ca_file(self) -> Path:
        return self.state / "tls" / "ca.pem"

    @property
    def pid(self) -> int:
        assert self._daemon is not None
        return self._daemon.pid

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        began = self.log.stat().st_size if self.log.exists() else 0

        def is_open() -> bool:
            return b"Ctrl-C stops it." in self.log.read_bytes()[began:]

        self._daemon = Daemon(
            [*self.inside, self.python, "manage.py", "up"],
            self.log,
            env=self.environment,
            cwd=self.home,
        )
        self._daemon.wait_for(is_open, PATIENCE)

    def stop(self) -> None:
        if self._daemon is not None:
            self._daemon.stop()
            self._daemon = None

    def kill(self) -> None:
        """Ends every process immediately, as a power cut does."""
        # The supervisor first, which would replace the others.
        for pid, _ in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.stop()

    @property
    def accepted(self) -> int:
        """How many messages it has accepted, by its log."""
        return len(ACCEPTED.findall(self.log.read_bytes()))

    def move_clock(self, seconds: float) -> None:
        """Sets how far this host's clock is ahead, with effect within a second."""
        self.clock_file.write_text(str(seconds))

    def processes(self) -> list[tuple[int, str]]:
        """Returns pid and command line of `up` and all its descendants."""
        return [(pid, command_line(pid)) for pid in process_tree(self.pid)]


@dataclass
class Firm:
    """The organisation whose own server is a Postfix."""

    postfix: Postfix
    username: str
    password: str
    sender: str
    reader: str
    local: str


@dataclass
class World:
    """All parts, running. Leaving the context stops them."""

    hosts: list[Host] = field(default_factory=list)
    # Octets of every tenth message: stored outside the database.
    large: int = 200_000
    # For a site that is served with TLS.
    web_context: ssl.SSLContext | None = None
    _ends: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        try:
            self._build()
        except BaseException:
            self._ends.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._ends.close()

    def _build(self) -> None:
        self.folder = open_folder()
        self._ends.callback(remove_folder, self.folder)
        self.disk = self.folder / "var"
        self._ends.enter_context(_small_disk(self.disk))
        copy = migrated.prepared(migrated.CLUSTER)
        self.postgres = self._ends.enter_context(Postgres(copy_of=copy))
        self.redis = self._ends.enter_context(Redis())
        self.clamd = Clamd(self.folder / "clamd")
        self.clamd.start()
        self._ends.callback(self.clamd.stop)
        self._start_hosts()

    def _start_hosts(self) -> None:
        hop_port = free_port()
        authority = Authority(self.disk / "tls")
        self.smart_host = NextHop(_context(authority))
        self.smart_host.start()
        self._ends.callback(self.smart_host.stop)
        self.database = self._database()
        environment = {
            "POSTERN_ENV": "development",
            "POSTERN_VAR": str(self.disk),
            "POSTERN_DATABASE_URL": self.database,
            "POSTERN_REDIS_URL": self.redis.url,
            "POSTERN_CLAMD": self.clamd.socket,
            "POSTERN_SMARTHOST": f"localhost:{self.smart_host.port}",
            "POSTERN_ALARM_ADDRESSES": json.dumps([OPERATOR]),
            "POSTERN_DEMO_NEXT_HOP_PORT": str(hop_port),
            "DJANGO_SETTINGS_MODULE": "portal.settings",
        }
        for name in ("first", "second"):
            host = Host(name, self.folder, environment)
            self.hosts.append(host)
            self._ends.callback(host.stop)
            host.start()
        self._turns = itertools.cycle(self.hosts)
        self._start_firm(authority, self.hosts[0], hop_port)

    def _database(self) -> str:
        """Creates the database, from the migrated template if there is one."""
        if migrated.prepared(migrated.CLUSTER) is None:
            return self.postgres.create("soak")
        return self.postgres.create("soak", template=migrated.TEMPLATE)

    def _start_firm(
        self, authority: Authority, entry: Entry, port: int, host: str = "127.0.0.1"
    ) -> None:
        """Starts the firm's Postfix there, which relays through the entry."""
        demo = json.loads((self.disk / "demo.json").read_text())
        people = {person["address"]: person for person in demo["people"]}
        facts = next(
            one["connection"]
            for one in demo["organisations"]
            if one["member_domain"] == FIRM
        )
        own = authority.issue("mail.marlowfinch.example", "localhost", "127.0.0.1")
        postfix = Postfix(
            FIRM, "jane", cert_file=own.cert_file, key_file=own.key_file, host=host
        )
        postfix.port = port
        postfix.relay_through(
            "localhost",
            entry.ports["smtp"],
            username=facts["username"],
            password=facts["password"],
            ca_file=entry.ca_file,
        )
        self._ends.enter_context(postfix)
        self.firm = Firm(
            postfix,
            facts["username"],
            facts["password"],
            f"jane@{FIRM}",
            f"jane@{FIRM}.{SUFFIX}",
            "jane",
        )
        self.readers = {
            way: people[f"{local}.{SUFFIX}"] for way, local in READERS.items()
        }
        self.writer = people[f"mei@harbour.{SUFFIX}"]

    def next_entry(self) -> Entry:
        """Returns the hosts in rotation, as a load balancer would."""
        return next(self._turns)

    @property
    def pop3_entry(self) -> Entry:
        """Where mailboxes are downloaded in the end."""
        return self.hosts[0]

    def mailbox(self, reader: Mapping[str, str]) -> list[bytes]:
        """Downloads a person's messages by POP3."""
        return mpop.download(
            self.pop3_entry.ports["pop3s"],
            username=reader["address"],
            password=reader["app_password"],
            ca_file=self.pop3_entry.ca_file,
        )

    def arrivals(self, number: int) -> list[float]:
        """Returns when each copy reached the firm's server, in Unix time."""
        wanted = f"Subject: soak-{number} ".encode()
        folder = self.firm.postfix.folder / "mail" / self.firm.local
        files = (one for one in folder.glob("*/*") if wanted in one.read_bytes())
        return [one.stat().st_mtime for one in files]

    def waiting_numbers(self) -> set[int]:
        """Returns the messages that the queue still holds for a recipient."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            rows = connection.execute(WAITING).fetchall()
        return set(numbers_in(bytes(header) for (header,) in rows))

    def lasting_alarms(self) -> list[str]:
        """Returns rule and subject of each open alarm."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            rows = connection.execute(LASTING).fetchall()
        return [f"{rule} {subject}".strip() for rule, subject in rows]


@contextmanager
def _small_disk(folder: Path) -> Iterator[None]:
    """Mounts a file system of limited size. Needs root, as Postfix does."""
    folder.mkdir()
    options = ["-o", f"size={DISK},mode=700"]
    subprocess.run(["mount", "-t", "tmpfs", *options, "soak", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _context(authority: Authority) -> ssl.SSLContext:
    own = authority.issue("localhost", "127.0.0.1", kept_as="smart-host")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(own.cert_file, own.key_file)
    return context
