"""A fresh Debian in a folder: made by debootstrap, entered by chroot.

It has this machine's way to the registries: name servers, proxies in the environment, pip's
and npm's configuration, certificate authorities. Needs root and debootstrap.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

MIRROR = "http://deb.debian.org/debian"
SECURITY = "http://deb.debian.org/debian-security"
# Makes every Debian that Postern runs on, also one newer than debootstrap.
SCRIPT = "/usr/share/debootstrap/scripts/sid"
# What update-ca-certificates adds to Debian's authorities.
AUTHORITIES = "/usr/local/share/ca-certificates"
CONFIGURATION = ("/etc/resolv.conf", "/etc/pip.conf", "/etc/npmrc")
MOUNTS = (
    ("proc", "proc", "defaults"),
    ("sysfs", "sys", "defaults"),
    ("tmpfs", "run", "mode=755"),
    ("tmpfs", "dev/shm", "mode=1777"),
    ("devpts", "dev/pts", "newinstance,gid=5,mode=620,ptmxmode=666"),
)


def make(folder: Path, suite: str) -> None:
    """Makes the root where it is missing, with this machine's way to the registries."""
    # debootstrap removes its own folder at the end.
    if not (folder / "usr").exists() or (folder / "debootstrap").exists():
        subprocess.run(
            ["debootstrap", "--variant=minbase", suite, str(folder), MIRROR, SCRIPT],
            check=True,
        )
    # What Debian's installer writes; debootstrap leaves updates out.
    (folder / "etc/apt/sources.list").write_text(
        f"deb {MIRROR} {suite} main\n"
        f"deb {MIRROR} {suite}-updates main\n"
        f"deb {SECURITY} {suite}-security main\n"
    )
    for name in CONFIGURATION:
        if Path(name).exists():
            shutil.copy(name, folder / name[1:])
    trusted = folder / AUTHORITIES[1:]
    trusted.mkdir(parents=True, exist_ok=True)
    for file in Path(AUTHORITIES).glob("*.crt"):
        shutil.copy(file, trusted)
    (folder / "etc/hosts").write_text(
        f"127.0.0.1 localhost\n127.0.1.1 {socket.gethostname()}\n::1 localhost\n"
    )


@contextmanager
def mounts(folder: Path) -> Iterator[None]:
    """Mounts what programs expect to find."""
    with ExitStack() as ends:
        for kind, at, options in MOUNTS:
            target = str(folder / at)
            Path(target).mkdir(exist_ok=True)
            subprocess.run(
                ["mount", "-t", kind, "-o", options, kind, target], check=True
            )
            ends.callback(subprocess.run, ["umount", "-l", target], check=False)
        yield


def environment() -> dict[str, str]:
    """Returns this machine's own way to the registries, without what is about this tree."""
    ours = ("POSTERN_", "PYTHON", "PYENV_", "VIRTUAL_ENV", "DJANGO_", "LC_", "LANG")
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(ours)
    }
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {**kept, "PATH": path, "HOME": "/root", "DEBIAN_FRONTEND": "noninteractive"}
