"""The sides that `speed` compares, and the two Postfixes between which they relay."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from portal.demo.certificates import Authority
from tests import migrated
from tests.benchmarks.contenders import Contender, postfix_and_dovecot
from tests.benchmarks.worktrees import HOME
from tests.peers.postfix import Postfix
from tests.peers.postgres import Postgres
from tests.peers.process import PeerError

SIDE = Path(__file__).with_name("speed_side.py")
FAR = "there.example"


@dataclass(frozen=True)
class Setting:
    """The database that Postern uses, its number of processes, and more configuration."""

    name: str
    is_postgresql: bool
    processes: int
    configuration: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Side:
    """A system under test, and the Postfix that relays through it."""

    system: Contender
    sender: Postfix


class FarServer:
    """A Postfix that takes the relayed mail and keeps it in a maildir."""

    def __init__(self, authority: Authority) -> None:
        made = authority.issue(f"mail.{FAR}", "localhost")
        self.ca_file = authority.ca_file
        self.certificate = made
        self.recipient = f"user@{FAR}"
        self.postfix = Postfix(
            FAR,
            "user",
            cert_file=made.cert_file,
            key_file=made.key_file,
            options={"smtpd_tls_security_level": "encrypt"},
        )

    def count(self) -> int:
        return self.postfix.count("user")

    def towards(self, port: int, domain: str, **options: str) -> Postfix:
        """Returns a Postfix that relays all mail to that port over verified TLS."""
        return Postfix(
            domain,
            cert_file=self.certificate.cert_file,
            key_file=self.certificate.key_file,
            options={
                "relayhost": f"[localhost]:{port}",
                "smtp_tls_security_level": "verify",
                "smtp_tls_CAfile": str(self.ca_file),
                **options,
            },
        )


@contextmanager
def debian_side(authority: Authority, far: FarServer) -> Iterator[Side]:
    """Postfix with Dovecot, and a Postfix of its own for relaying."""
    with (
        postfix_and_dovecot(authority) as system,
        far.towards(
            far.postfix.port, "relay.example", smtpd_tls_security_level="encrypt"
        ) as relay,
        far.towards(relay.port, "sender.example") as sender,
    ):
        system.pids.append(relay.pid)
        yield Side(system, sender)


@contextmanager
def postern_side(
    name: str,
    home: Path,
    setting: Setting,
    authority: Authority,
    far: FarServer,
    *,
    signs: bool = False,
) -> Iterator[Side]:
    """One version of Postern, run from its own folder by its own Python.

    With `signs` it signs and seals what it hands on.
    """
    with _database(home, setting) as (environment, servers):
        environment |= {
            "PYTHONPATH": str(home),
            "POSTERN_ENGINE_PROCESSES": str(setting.processes),
            **setting.configuration,
        }
        wanted = authority.folder.with_name(f"{name.replace(' ', '-')}.json")
        wanted.write_text(
            json.dumps(
                {
                    "authority": str(authority.folder),
                    "domain": FAR,
                    "port": far.postfix.port,
                    "signs": signs,
                }
            )
        )
        with _started(home, wanted, environment) as process:
            found = _line(process)
            with far.towards(found["smtp_port"], "sender.example") as sender:
                yield Side(_contender(name, process, found, servers), sender)


def _contender(
    name: str, process: subprocess.Popen[str], found: dict[str, Any], servers: list[int]
) -> Contender:
    def count() -> int:
        assert process.stdin is not None
        process.stdin.write("count\n")
        process.stdin.flush()
        return int(_line(process))

    return Contender(
        name,
        found["port"],
        list(found["mailboxes"]),
        count,
        [*found["pids"], *servers],
        found["pop3s_port"],
        found["mailboxes"],
    )


@contextmanager
def _database(
    home: Path, setting: Setting
) -> Iterator[tuple[dict[str, str], list[int]]]:
    """Yields the environment that names the database, and its server's process."""
    environment = dict(os.environ)
    # A database that was migrated for the tests fits this version only.
    if home != HOME:
        environment.pop("POSTERN_MIGRATED", None)
    environment.pop("POSTERN_DATABASE_URL", None)
    if not setting.is_postgresql:
        yield environment, []
        return
    copy = migrated.prepared(migrated.CLUSTER) if home == HOME else None
    with Postgres("jit=off", copy_of=copy) as server:
        url = server.create("bench", template=migrated.TEMPLATE) if copy else server.url
        yield environment | {"POSTERN_DATABASE_URL": url}, [server.pid]


@contextmanager
def _started(
    home: Path, wanted: Path, environment: dict[str, str]
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [str(home / ".venv/bin/python"), str(SIDE), str(wanted)],
        cwd=home,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.communicate()  # its input ends, and so does it


def _line(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise PeerError("a version could not be measured")
    return json.loads(line)
