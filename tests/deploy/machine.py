"""A Debian in a folder, on a network of its own, as the drill's hosts are.

The drill's process is in the namespace of that network. Its parent is not: what downloads
runs in the parent's.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from tests.cluster.network import Namespace
from tests.deploy import debian, guide

SUITE = "trixie"
# What a small root lacks of a host: the service manager's tools, what `systemctl_shim` is
# written in, and the mail programs of the trial at the end.
LIKE_A_HOST = (
    "ca-certificates", "curl", "libnet-ssleay-perl", "mpop", "procps", "python3", "systemd",
    "swaks",
)  # fmt: skip
# What package managers have fetched once, for all roots.
CACHES = ("var/cache/apt/archives", "root/.cache")


class Machine:
    """A host: a root, and a network namespace with an address."""

    def __init__(self, name: str, number: int, roots: Path) -> None:
        self.folder = roots / name
        self._caches = roots / "caches"
        self._namespace = Namespace(name, number)
        self.name, self.address = name, self._namespace.address
        self._ends = ExitStack()

    def __enter__(self) -> Self:
        self._ends.enter_context(self._namespace)
        self._ends.enter_context(debian.mounts(self.folder))
        for at in CACHES:
            self._share(at)
        self._ends.callback(self.end_all)
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    @property
    def inside(self) -> list[str]:
        """What precedes a command that runs on this host's network."""
        return self._namespace.inside

    def file(self, path: str) -> Path:
        """Returns where a path of this host is on the machine of the drill."""
        return self.folder / path.lstrip("/")

    def run(self, script: str) -> str:
        """Runs a script with bash, stops at its first fault, and returns what it printed."""
        where = _outside() if guide.downloads(script) else self.inside
        bash = ["bash", "-euxo", "pipefail", "-c", f"cd /root\n{script}"]
        print(f"### {self.name}", flush=True)
        began = time.monotonic()
        log = self.file("/root/drill.log")
        with log.open("wb") as output:
            done = subprocess.run(
                [*where, "chroot", str(self.folder), *bash],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=debian.environment(),
                check=False,
            )
        text = log.read_text(errors="replace")
        print(text, end="", flush=True)
        print(f"# {time.monotonic() - began:.1f} s, exit {done.returncode}", flush=True)
        if done.returncode:
            sys.exit(f"INSTALL.md could not be followed on {self.name}:\n{script}")
        return text

    def end_all(self) -> None:
        """Ends what runs on this host."""
        for how in (signal.SIGTERM, signal.SIGKILL):
            found = self._namespace.processes()
            for pid in found:
                _end(pid, how)
            if found:
                time.sleep(3)

    def _share(self, at: str) -> None:
        kept, here = self._caches / at, self.file(at)
        for folder in (kept, here):
            folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "--bind", str(kept), str(here)], check=True)
        self._ends.callback(subprocess.run, ["umount", "-l", str(here)], check=False)


def make_base(folder: Path, authority: Path) -> None:
    """Makes the root that every host's is a copy of: a Debian that trusts an authority."""
    debian.make(folder, SUITE)
    shutil.copy(authority, folder / debian.AUTHORITIES[1:] / "drill.crt")
    policy = folder / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    shim = folder / "usr/local/bin/systemctl"
    shutil.copy(Path(__file__).with_name("systemctl_shim.py"), shim)
    shim.chmod(0o755)


def like_a_host() -> str:
    """Returns the commands that make a copy of the base like a host."""
    packages = " ".join(LIKE_A_HOST)
    return (
        f"apt-get -qq update\napt-get -qq install --no-install-recommends {packages}\n"
        "update-ca-certificates"
    )


def copy(source: Path, target: Path) -> None:
    """Copies a root in which nothing is mounted."""
    command = ["cp", "-a", "--one-file-system", str(source), str(target)]
    subprocess.run(command, check=True)


def _outside() -> list[str]:
    """Returns what precedes a command that downloads: the network of our parent."""
    return ["nsenter", f"--net=/proc/{os.getppid()}/ns/net"]


def _end(pid: int, how: signal.Signals) -> None:
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        return
