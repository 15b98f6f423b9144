"""`python -m tests.roots FOLDER SUITE`: a newcomer's two commands in a fresh Debian.

Makes a root in FOLDER with debootstrap, which has git and make and nothing else, clones this
tree's commit into it, and runs `make run` until the site and the mail ports answer, with a
message by swaks that is fetched by POP3, and then `make test`. `--as sudo` and `--as
neither` do so as a user with sudo without a password and as one without sudo, who has
installed what the commands name. Prints how long each part took; FOLDER.log has the rest.

Needs root, debootstrap and swaks, and the ports of `make run` on loopback. Everything that
the commands start ends with the drill, in a process namespace of its own.
"""

from __future__ import annotations

import argparse
import json
import poplib
import re
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.deploy import debian
from tests.peers.process import PeerError, answers, wait_until
from tests.peers.swaks import swaks, tls_options

TREE = Path(__file__).parents[1]
# A newcomer's own; the certificates are what `git clone` of an https address needs.
NEWCOMERS = ("git", "make", "ca-certificates")
# Seconds for `make run` to install everything and to open.
PATIENCE = 1800
OPEN = "Ctrl-C stops it."
SUBJECT = "From a newcomer"
# How often a user without sudo is told of missing packages at most.
ROUNDS = 5
NAMED = re.compile(r"^ +sudo (apt-get install .*)$", re.MULTILINE)


class Newcomer:
    """Somebody in the root, with a clone of the project at home."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder = folder
        self.user = "root" if kind == "root" else "newcomer"
        self.kind = kind
        self.home = "/root" if kind == "root" else "/home/newcomer"
        self.log = folder.with_name(f"{folder.name}.log")
        self.took: list[tuple[str, float]] = []

    @property
    def clone(self) -> Path:
        return self.folder / self.home[1:] / "postern"

    def command(self, script: str, user: str) -> list[str]:
        """Returns a command that runs a script in the root; all it starts ends with it."""
        # Not the script's last command, so that bash stays and reaps, as a host's init.
        return [
            "setpriv", "--pdeathsig", "KILL",
            "unshare", "--pid", "--fork", "--kill-child",
            f"--mount-proc={self.folder}/proc", "chroot", str(self.folder),
            "env", "--default-signal=INT", "bash", "-c",
            f'runuser -u {user} -- env HOME="$1" bash -euc "$2"; exit $?',
            "bash", "/root" if user == "root" else self.home, script,
        ]  # fmt: skip

    def run(
        self, name: str, script: str, user: str = ""
    ) -> subprocess.CompletedProcess:
        """Runs a script to its end and notes how long it took."""
        print(f"== {name}", flush=True)
        began = time.monotonic()
        with self.log.open("ab") as log:
            start = log.tell()
            done = subprocess.run(
                self.command(script, user or self.user),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=debian.environment(),
                check=False,
            )
        self.took.append((name, time.monotonic() - began))
        said = self.log.read_bytes()[start:].decode(errors="replace")
        return subprocess.CompletedProcess(name, done.returncode, said)

    def must(self, name: str, script: str, user: str = "") -> None:
        """Runs a script; ends the drill with its last lines where it fails."""
        done = self.run(name, script, user)
        if done.returncode:
            sys.exit(f"{name} failed:\n{done.stdout[-6000:]}")

    def settle_in(self) -> None:
        """Installs what a newcomer has, and clones the project."""
        packages = " ".join((*NEWCOMERS, *(["sudo"] if self.kind == "sudo" else [])))
        self.must(
            f"install {packages}",
            "apt-get -qq update\napt-get -qq upgrade\n"
            f"apt-get -qq install --no-install-recommends {packages}\n"
            "update-ca-certificates",
            user="root",
        )
        if self.user != "root":
            self.must("add the user", f"useradd -ms /bin/bash {self.user}", user="root")
        if self.kind == "sudo":
            (self.folder / f"etc/sudoers.d/{self.user}").write_text(
                f"{self.user} ALL=(ALL) NOPASSWD: ALL\n"
            )
        subprocess.run(
            ["git", "bundle", "create", "-q", str(self.folder / "srv/postern"), "HEAD"],
            cwd=TREE,
            check=True,
        )
        self.must("git clone", "cd ~\ngit clone -q /srv/postern postern")

    def install_what_is_named(self) -> None:
        """Installs what the first step of `make run` names, until it names nothing."""
        for _ in range(ROUNDS):
            done = self.run(
                "make run: .ci/prepare run", "cd ~/postern; .ci/prepare run"
            )
            if not done.returncode:
                return
            named = NAMED.search(done.stdout)
            if named is None:
                sys.exit(f"It fails and names no package:\n{done.stdout[-6000:]}")
            print(f"   {named[1]}", flush=True)
            self.must("install what it named", f"{named[1]} -qq -y", user="root")
        sys.exit("It still names packages.")

    @contextmanager
    def running(self, name: str) -> Iterator[dict[str, Any]]:
        """Runs `make run` until the block ends; yields the facts of demo.json."""
        print(f"== {name}", flush=True)
        began = time.monotonic()
        output = self.folder.with_name(f"{self.folder.name}.run.log")
        with output.open("wb") as log:
            process = subprocess.Popen(
                self.command("cd ~/postern; make run", self.user),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=debian.environment(),
            )
        try:
            wait_until(
                lambda: OPEN in output.read_text() or process.poll() is not None,
                name,
                PATIENCE,
            )
            if process.poll() is not None:
                raise PeerError(f"{name} ended with {process.returncode}")
            self.took.append((name, time.monotonic() - began))
            yield json.loads((self.clone / "var/demo.json").read_text())
            self.stop(process)
        except PeerError as error:
            error.add_note(output.read_text()[-6000:])
            raise
        finally:
            process.kill()
            process.wait()

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """Ends it as Ctrl-C does, and checks that it ended by itself."""
        own = self.clone / "var"
        supervisor = next(
            int(status.parent.name)
            for status in Path("/proc").glob("[0-9]*/cmdline")
            if status.read_bytes().split(b"\0")[1:3] == [b"manage.py", b"up"]
            and (status.parent / "cwd").resolve() == own.parent
        )
        subprocess.run(["kill", "-INT", str(supervisor)], check=True)
        wait_until(lambda: process.poll() is not None, "the end of make run", 60)


def try_service(demo: dict[str, Any], tree: Path) -> None:
    """Opens the sign-in page, sends a message by swaks, and fetches it by POP3."""
    with urllib.request.urlopen(f"{demo['web']}/account/login/") as page:
        assert b'type="password"' in page.read(), "no sign-in page"
    ports = (*demo["smtp"].values(), *demo["pop3"].values())
    closed = [port for port in ports if isinstance(port, int) and not answers(port)]
    if closed:
        raise PeerError(f"ports {closed} do not answer")
    [firm] = [
        one
        for one in demo["organisations"]
        if one["member_domain"] == "marlowfinch.example"
    ]
    [ben] = [
        one
        for one in demo["people"]
        if one["address"] == "ben@northgate.secure.example"
    ]
    authority = tree / "var/tls/ca.pem"
    connection = firm["connection"]
    sent = swaks(
        demo["smtp"]["receive"],
        *tls_options(authority),
        *("--auth", "PLAIN", "--auth-user", connection["username"]),
        *("--auth-password", connection["password"]),
        sender="jane@marlowfinch.example",
        recipient=ben["address"],
        message=(
            b"From: jane@marlowfinch.example\nTo: ben@northgate.secure.example\n"
            b"Subject: " + SUBJECT.encode() + b"\n\nAt ten.\n"
        ),
    )
    if sent.code:
        raise PeerError(sent.transcript)
    wait_until(lambda: _is_there(demo["pop3"]["pop3s"], ben, authority), "the message")


def _is_there(port: int, person: dict[str, str], authority: Path) -> bool:
    """Whether the newest message by POP3 is the one that was sent."""
    context = ssl.create_default_context(cafile=str(authority))
    session = poplib.POP3_SSL("localhost", port, context=context)
    session.user(person["address"])
    session.pass_(person["app_password"])
    count, _ = session.stat()
    lines = session.top(count, 0)[1] if count else []
    session.quit()
    return f"Subject: {SUBJECT}".encode() in lines


def main() -> None:
    """Makes the root, runs both commands in it, and prints what they took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("suite", help="such as trixie")
    parser.add_argument("--as", dest="kind", choices=("root", "sudo", "neither"))
    parser.add_argument("--only-run", action="store_true", help="not `make test`")
    options = parser.parse_args()
    newcomer = Newcomer(options.folder.resolve(), options.kind or "root")
    try:
        sys.exit(drill(newcomer, options.suite, only_run=options.only_run))
    finally:
        for name, seconds in newcomer.took:
            print(f"{name:60} {seconds:6.0f} s")


def drill(newcomer: Newcomer, suite: str, *, only_run: bool) -> int:
    """Runs both commands in a fresh root; returns the exit code of the second."""
    began = time.monotonic()
    debian.make(newcomer.folder, suite)
    newcomer.took.append(("debootstrap", time.monotonic() - began))
    with debian.mounts(newcomer.folder):
        newcomer.settle_in()
        if newcomer.kind == "neither":
            newcomer.install_what_is_named()
        for name in ("make run, the first time", "make run, again"):
            with newcomer.running(name) as demo:
                try_service(demo, newcomer.clone)
        if only_run:
            return 0
        tested = newcomer.run("make test", "cd ~/postern; make test")
        print(tested.stdout[-6000:])
        return tested.returncode


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Ended."))
    main()
