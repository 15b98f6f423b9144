"""Hosts in network namespaces of their own, on one bridge. Needs root and iproute2.

The drill itself runs in a namespace too (`unshare --net`), which holds the bridge: nothing
stays behind when its processes have ended, however they end.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Self

from tests.peers.process import wait_until

NETWORK = "10.0.0.0/24"
# The address of this namespace, where the load balancer and the clients are.
EDGE = "10.0.0.1"
BRIDGE = "bridge"


class Network:
    """The bridge in this namespace."""

    def __enter__(self) -> Self:
        _ip("link set lo up")
        _ip(f"link add {BRIDGE} type bridge")
        _ip(f"address add {EDGE}/24 dev {BRIDGE}")
        _ip(f"link set {BRIDGE} up")
        return self

    def __exit__(self, *_: object) -> None:
        _ip(f"link delete {BRIDGE}")


class Namespace:
    """One host of the network, with its own address and host name."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.address = f"10.0.0.{number}"
        self._port = f"to-{name}"

    def __enter__(self) -> Self:
        self._holder = subprocess.Popen(
            [
                "setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--uts",
                "sh", "-c", f"hostname {self.name} && exec sleep infinity",
            ]
        )  # fmt: skip
        own = Path(f"/proc/{self._holder.pid}/cmdline")
        wait_until(lambda: own.read_bytes().startswith(b"sleep"), f"host {self.name}")
        _ip(f"link add {self._port} type veth peer name eth0 netns {self._holder.pid}")
        self.reconnect()
        _ip(f"link set {self._port} up")
        for command in (
            f"address add {self.address}/24 dev eth0",
            "link set eth0 up",
            "link set lo up",
        ):
            _ip(command, self.inside)
        return self

    def __exit__(self, *_: object) -> None:
        self._holder.kill()
        self._holder.wait()

    def processes(self) -> list[int]:
        """Returns the processes that run on this host, without what holds it."""
        return [pid for pid in _pids() if pid != self._holder.pid and self._has(pid)]

    def _has(self, pid: int) -> bool:
        own, other = (Path(f"/proc/{one}/ns/net") for one in (self._holder.pid, pid))
        try:
            return own.readlink() == other.readlink()
        except (FileNotFoundError, PermissionError):
            return False  # it has just ended, or is none of ours

    @property
    def inside(self) -> list[str]:
        """What precedes a command that runs on this host."""
        spaces = f"/proc/{self._holder.pid}/ns"
        return ["nsenter", f"--net={spaces}/net", f"--uts={spaces}/uts", "--"]

    def cut_off(self) -> None:
        """Loses every packet from and to this host, without a word to either side."""
        _ip(f"link set {self._port} nomaster")

    def reconnect(self) -> None:
        _ip(f"link set {self._port} master {BRIDGE}")


def _pids() -> list[int]:
    return [int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit()]


def _ip(command: str, inside: list[str] | None = None) -> None:
    subprocess.run([*(inside or []), "ip", *command.split()], check=True)
