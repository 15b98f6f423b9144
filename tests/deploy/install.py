"""`python -m tests.deploy.install FOLDER`: follows INSTALL.md in a fresh Debian 13.

Makes a root in FOLDER with debootstrap and runs every command of INSTALL.md in it, word for
word, in a network namespace of its own; then sends mail by swaks and fetches it by mpop.
systemd does not run in such a root: `systemctl_shim` starts what the units say. The
signatures of viruses are one for the EICAR test file. Needs root, debootstrap and iproute2.
"""

from __future__ import annotations

import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from portal.demo.certificates import Authority
from tests.deploy import debian
from tests.peers.clamd import EICAR

RELEASE = Path(__file__).parents[2]
INSTALL = RELEASE / "INSTALL.md"
SUITE = "trixie"
# What a small root lacks of a host: the service manager's tools, and the mail programs of
# the trial at the end.
LIKE_A_HOST = (
    "ca-certificates", "curl", "libnet-ssleay-perl", "mpop", "procps", "systemd", "swaks",
)  # fmt: skip
# The sections of INSTALL.md with commands.
SECTIONS = ("One host", "Back up, restore", "Upgrade, roll back")
NAMESPACE = "postern-install"
NAMES = ("gate.justice.test", "mail.justice.test")
# A block with one of these downloads, and runs outside the namespace.
DOWNLOADS = ("apt-get", ".ci/prepare")
DNS = """
import threading
from portal.demo.dns_server import NameServer
with NameServer(53) as server:
    for name in ("gate.justice.test", "mail.justice.test"):
        server.add(name, "A", "127.0.0.1")
    server.add("justice.test", "MX", "10 gate.justice.test.")
    threading.Event().wait()
"""
# Until the website is ready and the engine listens.
AWAIT = """\
set +x
for port in 8000 25; do
  for i in $(seq 600); do (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null && break; sleep 0.2; done
done
curl -s --retry 60 --retry-delay 1 --retry-all-errors --fail http://127.0.0.1:8000/health/ready
"""
MEMBERS = """
from engine.registry.actions import people
from engine.registry.models import Kind, Organisation, Person
operator = Organisation.objects.get(kind=Kind.OPERATOR)
olive = Person.objects.get(address="olive@justice.test")
ben = people.add(operator, address="ben@justice.test", name="Ben Barr",
                 everyday_address="ben@ministry.test", by=None)
for person in (olive, ben):
    print("APP", person.address, people.add_app_password(person, name="drill", by=person)[1])
"""


class Root:
    """A Debian in a folder, with its mounts and its network."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, script: str, *, inside: bool = True) -> str:
        """Runs a script with bash, stops at its first fault, and returns what it printed."""
        command = [
            "chroot",
            str(self.folder),
            "bash",
            "-euxo",
            "pipefail",
            "-c",
            script,
        ]
        if inside:
            command = ["ip", "netns", "exec", NAMESPACE, *command]
        began = time.monotonic()
        log = self.folder / "root/drill.log"
        with log.open("wb") as output:
            done = subprocess.run(
                command,
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
            sys.exit(f"INSTALL.md could not be followed:\n{script}")
        return text


def blocks(section: str) -> list[str]:
    """Returns the blocks of commands in a section of INSTALL.md."""
    part = re.search(
        rf"^## {section}\n(.*?)(?=^## |\Z)",
        INSTALL.read_text(),
        re.MULTILINE | re.DOTALL,
    )
    assert part is not None, section
    return re.findall(r"^```\n(.*?)^```$", part[1], re.MULTILINE | re.DOTALL)


def make(folder: Path) -> None:
    """Makes the root, in which a shim stands for the service manager."""
    debian.make(folder, SUITE)
    policy = folder / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    shim = folder / "usr/local/bin/systemctl"
    shutil.copy(Path(__file__).with_name("systemctl_shim.py"), shim)
    shim.chmod(0o755)


@contextmanager
def network() -> Iterator[None]:
    """Makes the namespace, in which only loopback is up; ends what runs in it."""
    subprocess.run(["ip", "netns", "add", NAMESPACE], check=True)
    try:
        subprocess.run(["ip", "-n", NAMESPACE, "link", "set", "lo", "up"], check=True)
        yield
    finally:
        end_all()
        subprocess.run(["ip", "netns", "del", NAMESPACE], check=False)


def end_all() -> None:
    """Ends the processes in our network namespace, and no others."""
    for how in ("-TERM", "-KILL"):
        found = subprocess.run(
            ["ip", "netns", "pids", NAMESPACE],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.split()
        if found:
            subprocess.run(["kill", how, *found], check=False, capture_output=True)
            time.sleep(3)


def provide(root: Root) -> None:
    """Provides what INSTALL.md says that one needs: the release, names and certificates."""
    at_root = root.folder / "root"
    archive = at_root / "postern-0.6.tar.gz"
    subprocess.run(
        ["git", "archive", "--format=tar.gz", "-o", str(archive), "HEAD"],
        cwd=RELEASE,
        check=True,
    )
    authority = Authority(at_root / "authority")
    made = authority.issue(*NAMES)
    for stem in ("gate", "site"):
        shutil.copy(made.cert_file, at_root / f"{stem}.pem")
        shutil.copy(made.key_file, at_root / f"{stem}.key")
    shutil.copy(authority.ca_file, root.folder / debian.AUTHORITIES[1:] / "drill.crt")
    with (root.folder / "etc/hosts").open("w") as hosts:
        hosts.write(f"127.0.0.1 localhost {' '.join(NAMES)}\n")


def fill_in(root: Root) -> None:
    """Edits the settings as an administrator would."""
    file = root.folder / "etc/postern/postern.env"
    values = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "HELPDESK_PHONE": "0300 555 0100",
        "SMARTHOST": "postern:secret@127.0.0.1:2525",
    }
    text = file.read_text()
    for name, value in values.items():
        text = text.replace(f"POSTERN_{name}=\n", f"POSTERN_{name}={value}\n")
    # There is no name server in the namespace but our own.
    file.write_text(text + 'POSTERN_DNS_SERVERS=["127.0.0.1:53"]\n')


def signatures(root: Root) -> None:
    """freshclam has no way to its servers here, or needs minutes."""
    folder = root.folder / "var/lib/clamav"
    folder.mkdir(exist_ok=True)
    (folder / "local.ndb").write_text(f"Postern.Test.EICAR:0:*:{EICAR.hex()}\n")


def follow(root: Root) -> None:
    """Follows the section on one host, block by block."""
    for block in blocks("One host"):
        if "clamav-daemon\n" in block and "restart" in block:
            signatures(root)
        root.run(
            f"cd /root\n{block}", inside=not any(word in block for word in DOWNLOADS)
        )
        if "apt-get install" in block:
            # A host's package manager starts them; here its policy forbids that.
            root.run("systemctl start postgresql redis-server nginx")
        if "postern.env.example" in block:
            fill_in(root)


def upgrade(root: Root) -> None:
    """Upgrades to the same release under another number, and rolls back by hand."""
    [unpack] = [block for block in blocks("One host") if "tar -xzf" in block]
    newer, *_ = unpack.replace("0.6", "0.7").partition("ln -sfn")
    shutil.copy(
        root.folder / "root/postern-0.6.tar.gz", root.folder / "root/postern-0.7.tar.gz"
    )
    root.run(f"cd /root\n{newer}", inside=False)
    [switch] = blocks("Upgrade, roll back")
    root.run(switch)
    root.run(AWAIT)
    root.run(
        "ln -sfn releases/0.6 /opt/postern/current\nsystemctl restart postern.target\n"
        "/opt/postern/releases/0.6/postern prepare"
    )
    root.run(AWAIT)


def back_up_and_restore(root: Root, passwords: dict[str, str]) -> None:
    """Backs up, and restores into another root: a copy without database and state."""
    back_up, restore = blocks("Back up, restore")
    send = "swaks --server gate.justice.test:587 --tls --tls-verify --auth PLAIN"
    root.run(
        f"{send} --auth-user olive@justice.test "
        f"--auth-password {passwords['olive@justice.test']} --from olive@justice.test "
        "--to ben@justice.test --header 'Subject: Before the backup' >/dev/null"
    )
    root.run(back_up)
    root.run(
        "systemctl stop postern.target nginx redis-server clamav-daemon postgresql"
    )
    other = Root(root.folder.with_name(f"{root.folder.name}-restored"))
    # Processes see the second root's own /proc and /run.
    subprocess.run(
        ["cp", "-a", "--one-file-system", str(root.folder), str(other.folder)],
        check=True,
    )
    with debian.mounts(other.folder):
        other.run(
            "systemctl start postgresql redis-server nginx clamav-daemon\n"
            "runuser -u postgres -- dropdb postern\n"
            "runuser -u postgres -- createdb --owner postern --encoding UTF8 "
            "--template template0 --locale C.UTF-8 postern\n"
            "find /var/lib/postern -mindepth 1 -delete"
        )
        other.run(restore)
        other.run(AWAIT)
        fetch(other, ["Before the backup"])
        other.run(
            "systemctl stop postern.target nginx redis-server clamav-daemon postgresql"
        )
    shutil.rmtree(other.folder)
    root.run(
        "systemctl start postgresql redis-server clamav-daemon nginx postern.target"
    )
    root.run(AWAIT)
    fetch(root, ["Before the backup"])


def add_members(root: Root) -> dict[str, str]:
    """Adds a member to the first operator; returns both app passwords by address."""
    root.run(AWAIT)
    (root.folder / "root/members.py").write_text(MEMBERS)
    shown = root.run(
        'chmod 644 /root/members.py; postern shell -c "$(cat /root/members.py)"'
    )
    return dict(re.findall(r"^APP (\S+) (\S+)$", shown, re.MULTILINE))


def try_mail(root: Root, passwords: dict[str, str]) -> None:
    """Sends messages and a virus by swaks, and fetches the messages by mpop."""
    olive, ben = passwords["olive@justice.test"], passwords["ben@justice.test"]
    send = (
        "swaks --server gate.justice.test:587 --tls --tls-verify --auth PLAIN "
        f"--auth-user olive@justice.test --auth-password {olive} "
        "--from olive@justice.test --to ben@justice.test"
    )
    root.run(f"{send} --header 'Subject: The listing' --body 'At ten.'")
    # Larger than what the database keeps inline.
    root.run(
        "head -c 3000000 /dev/urandom > /root/bundle.bin\n"
        f"{send} --header 'Subject: The bundle' --attach @/root/bundle.bin"
    )
    (root.folder / "root/eicar.txt").write_bytes(EICAR)
    root.run(f"if {send} --attach @/root/eicar.txt; then exit 1; fi")
    configure_mpop(root, ben)
    fetch(root, ["The listing", "The bundle"])
    root.run(
        "curl -sf -o /dev/null -w '%{http_code} %{url}\\n' https://mail.justice.test/"
    )


def configure_mpop(root: Root, password: str) -> None:
    """Writes the configuration of Ben's mail program."""
    (root.folder / "root/.mpoprc").write_text(
        "account default\nhost gate.justice.test\nport 995\ntls on\ntls_starttls off\n"
        "user ben@justice.test\nauth user\nkeep off\nreceived_header off\n"
        "tls_trust_file /etc/ssl/certs/ca-certificates.crt\n"
        f"password {password}\ndelivery maildir /root/mail\n"
    )


def fetch(root: Root, subjects: list[str]) -> None:
    """Fetches Ben's mail by mpop: exactly one message with each subject."""
    found = "".join(f"grep -l 'Subject: {one}' /root/mail/new/*\n" for one in subjects)
    root.run(
        "rm -rf /root/mail /root/.mpop_uidls\nchmod 600 /root/.mpoprc\n"
        "mkdir -p /root/mail/{new,cur,tmp}\nmpop -q -C /root/.mpoprc\n"
        f"{found}test $(ls /root/mail/new | wc -l) = {len(subjects)}"
    )


def main() -> None:
    """Makes the root, follows INSTALL.md and tries the service."""
    settings.configure(USE_TZ=True)  # of portal.demo.certificates
    root = Root(Path(sys.argv[1]).resolve())
    began = time.monotonic()
    make(root.folder)
    with debian.mounts(root.folder), network():
        provide(root)
        packages = " ".join(LIKE_A_HOST)
        root.run(
            f"apt-get -qq update\napt-get -qq install --no-install-recommends {packages}\n"
            "update-ca-certificates",
            inside=False,
        )
        names = subprocess.Popen(
            ["ip", "netns", "exec", NAMESPACE, sys.executable, "-c", DNS], cwd=RELEASE
        )
        try:
            follow(root)
            passwords = add_members(root)
            try_mail(root, passwords)
            back_up_and_restore(root, passwords)
            upgrade(root)
            root.run("postern check")
        finally:
            end_all()
            names.wait()
    print(f"INSTALL.md was followed in {time.monotonic() - began:.0f} s.")


if __name__ == "__main__":
    main()
