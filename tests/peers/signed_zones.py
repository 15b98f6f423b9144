"""Zones signed by Knot, and Unbound, which validates them: the DNSSEC of a test.

Unbound trusts the key of each signed zone, as a resolver trusts the root's. It asks nobody
but Knot, and Knot serves these zones alone.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from typing import Self

from tests.peers.process import (
    Daemon,
    PeerError,
    answers,
    free_port,
    open_folder,
    remove_folder,
)

KNOT, UNBOUND = "/usr/sbin/knotd", "/usr/sbin/unbound"
START = """\
$ORIGIN {zone}.
$TTL 60
@ SOA ns.{zone}. hostmaster.{zone}. 1 3600 600 86400 60
@ NS ns.{zone}.
ns A 127.0.0.1
"""
KNOT_CONFIG = """\
server:
    rundir: {folder}/knot
    listen: 127.0.0.1@{port}
database:
    storage: {folder}/knot
policy:
  - id: short
    algorithm: ecdsap256sha256
    single-type-signing: on
template:
  - id: default
    storage: {folder}
    zonefile-load: whole
    zonefile-sync: -1
"""
UNBOUND_CONFIG = """\
server:
  interface: 127.0.0.1
  port: {port}
  access-control: 127.0.0.0/8 allow
  directory: "{folder}"
  chroot: ""
  username: ""
  pidfile: "{folder}/unbound.pid"
  do-daemonize: no
  use-syslog: no
  do-not-query-localhost: no
  module-config: "validator iterator"
  val-log-level: 2
  local-zone: "test." nodefault
"""


class SignedZones:
    """The zones, by name, with their records in zone file notation.

    `altered` replaces texts in the signed zone, whose signatures then fail; zones in
    `unsigned` are not signed at all.
    """

    def __init__(
        self,
        zones: Mapping[str, str],
        *,
        altered: Mapping[str, str] | None = None,
        unsigned: tuple[str, ...] = (),
    ) -> None:
        self._zones, self._altered = zones, altered or {}
        self._unsigned = unsigned
        self._knot_port, self._port = free_port(), free_port()
        self.folder = open_folder()
        self._daemons: list[Daemon] = []

    @property
    def resolver(self) -> str:
        """Unbound, in the form of POSTERN_VALIDATING_RESOLVER."""
        return f"127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for daemon in reversed(self._daemons):
            daemon.stop()
        remove_folder(self.folder)

    def _start(self) -> None:
        for name in ("knot", "signed"):
            (self.folder / name).mkdir()
        config = self.folder / "knot.conf"
        lines = ["zone:\n"]
        for zone, records in self._zones.items():
            file = self.folder / f"{zone}.zone"
            file.write_text(START.format(zone=zone) + records)
            lines.append(f"  - domain: {zone}\n    file: {file}\n")
            if zone not in self._unsigned:
                lines.append("    dnssec-signing: on\n    dnssec-policy: short\n")
        start = KNOT_CONFIG.format(folder=self.folder, port=self._knot_port)
        config.write_text(start + "".join(lines))
        signed = [zone for zone in self._zones if zone not in self._unsigned]
        anchors = [self._sign(zone) for zone in signed]
        # Served as they were signed, or altered.
        serving = [line for line in lines if "dnssec" not in line]
        config.write_text(start + "".join(serving))
        self._run([KNOT, "-c", str(config)], self._knot_port)
        self._run([UNBOUND, "-d", "-c", self._resolver_config(anchors)], self._port)

    def _sign(self, zone: str) -> str:
        """Signs the zone's file in place; returns its key, as a trust anchor."""
        command = ["kzonesign", "-r", "-c", str(self.folder / "knot.conf")]
        command += ["-o", str(self.folder / "signed"), zone]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        file = self.folder / "signed" / f"{zone}.zone"
        if not file.exists():
            raise PeerError(done.stderr)
        text = file.read_text()
        [key] = [
            " ".join(line.split()[3:])
            for line in text.splitlines()
            if line.split()[2:3] == ["DNSKEY"]
        ]
        for before, after in self._altered.items():
            text = text.replace(before, after)
        (self.folder / f"{zone}.zone").write_text(text)
        return f"{zone}. DNSKEY {key}"

    def _resolver_config(self, anchors: list[str]) -> str:
        config = self.folder / "unbound.conf"
        text = UNBOUND_CONFIG.format(port=self._port, folder=self.folder)
        text += "".join(f'  trust-anchor: "{anchor}"\n' for anchor in anchors)
        for zone in self._zones:
            text += f'stub-zone:\n  name: "{zone}."\n'
            text += f"  stub-addr: 127.0.0.1@{self._knot_port}\n"
        config.write_text(text)
        return str(config)

    def _run(self, command: list[str], port: int) -> None:
        daemon = Daemon(command, self.folder / "servers.log")
        self._daemons.append(daemon)
        daemon.wait_for(lambda: answers(port))

    def log(self) -> str:
        """Returns what both servers wrote."""
        return (self.folder / "servers.log").read_text(errors="replace")
