"""One version's side of `speed`, run by that version's Python in its folder.

It uses only modules that much older versions have too. Prints what the other side needs
to know, then the number of stored messages for each line that it reads.
"""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from tests.benchmarks import ready

# isort: split
from django.conf import settings

from engine.registry.actions import connections, domains, organisations, people
from engine.registry.models import AccountType, Kind, Person, Proof
from portal.demo.certificates import Authority
from tests.benchmarks.contenders import postern
from tests.peers.process import remove_folder


def main(wanted: dict[str, Any]) -> None:
    # The authority of the servers around it.
    shutil.copytree(wanted["authority"], ready.FOLDER / "tls")
    ready.FOLDER.joinpath("tls").chmod(0o700)
    authority = Authority(ready.FOLDER / "tls")
    authority.issue("localhost", "127.0.0.1", kept_as="server")

    def add_server() -> None:
        _add_server(wanted["domain"], wanted["port"])
        if wanted["signs"]:
            # By name, because older versions have no such module.
            importlib.import_module("tests.benchmarks.published_keys").publish()

    with postern(authority, add_server) as side:
        found = {
            "port": side.port,
            "smtp_port": settings.POSTERN.smtp_port,
            "pop3s_port": settings.POSTERN.pop3s_port,
            "mailboxes": {to: _password(to) for to in side.recipients},
            # Older versions have one `pid`.
            "pids": vars(side).get("pids") or [vars(side)["pid"]],
        }
        print(json.dumps(found), flush=True)
        for _ in sys.stdin:
            print(side.count(), flush=True)


def _add_server(domain: str, port: int) -> None:
    """Adds a member whose own server takes the mail for its domain."""
    made = organisations.add(
        name=domain, kind=Kind.LAW_FIRM, account_type=AccountType.SMTP, by=None
    )
    domains.verify(domains.add(made, member_domain=domain, by=None), by=None)
    organisations.activate(made, by=None)
    connections.add(
        made,
        proof=Proof.CREDENTIAL,
        next_hop_host="127.0.0.1",
        next_hop_port=port,
        next_hop_tls_name=f"mail.{domain}",
        by=None,
    )


def _password(address: str) -> str:
    person = Person.objects.get(address=address)
    return people.add_app_password(person, name="benchmark", by=None)[1]


if __name__ == "__main__":
    try:
        main(json.loads(Path(sys.argv[1]).read_text()))
    finally:
        remove_folder(ready.FOLDER)
