"""The hosts of the drill, each a fresh copy of one root, and how they follow INSTALL.md."""

from __future__ import annotations

import secrets
import shutil
from contextlib import ExitStack
from pathlib import Path

from tests.deploy.machine import Machine, copy
from tests.deploy.surroundings import SMART_HOST, Surroundings, bucket, signatures


class Drill:
    """The hosts, in FOLDER, and what is around them."""

    def __init__(self, folder: Path, given: Surroundings) -> None:
        self.folder, self.given = folder, given
        self._ends = ExitStack()
        self._hosts: list[Machine] = []

    def host(self, name: str, number: int, names_at: str = "") -> Machine:
        """Makes a fresh host. `names_at` is where the community's names are, if not here."""
        copy(self.folder / "base", self.folder / name)
        made = self._ends.enter_context(Machine(name, number, self.folder))
        self._hosts.append(made)
        self.given.provide(made, names_at or made.address)
        return made

    def close(self) -> None:
        """Ends what runs on the hosts, and leaves their roots."""
        self._ends.close()

    def remove(self) -> None:
        """Deletes the roots of hosts that were closed."""
        for one in self._hosts:
            shutil.rmtree(one.folder)


def fill_in(host: Machine, values: dict[str, str]) -> None:
    """Edits the settings as an administrator would."""
    file = host.file("/etc/postern/postern.env")
    lines = file.read_text().splitlines()
    values = {
        "POSTERN_SECRET_KEY": secrets.token_urlsafe(48),
        "POSTERN_HELPDESK_PHONE": "0300 555 0100",
        "POSTERN_SMARTHOST": f"postern:secret@{SMART_HOST}:587",
        "POSTERN_BACKUP_TARGET": bucket("backups"),
        # The name server of the drill.
        "POSTERN_DNS_SERVERS": '["127.0.0.1:53"]',
    } | values
    kept = [line for line in lines if line.partition("=")[0] not in values]
    kept += [f"{name}={value}" for name, value in values.items()]
    file.write_text("\n".join(kept) + "\n")


def follow(host: Machine, blocks: list[str], values: dict[str, str]) -> None:
    """Follows blocks of the section on one host."""
    for block in blocks:
        if "restart clamav-daemon" in block:
            signatures(host)
        host.run(block)
        if "apt-get install" in block:
            # A host's package manager starts them; here its policy forbids that.
            host.run("systemctl start postgresql redis-server nginx")
        if "postern.env.example" in block:
            fill_in(host, values)
