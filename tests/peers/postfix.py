"""A private Postfix: a member organisation's own server, or a baseline."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.peers.process import (
    Daemon,
    PeerError,
    answers,
    free_port,
    open_folder,
    remove_folder,
    wait_until,
)

MASTER = "/usr/lib/postfix/sbin/master"
SERVICES = """\
{host}:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """One Postfix with its own configuration, queue, log and mail folders.

    It keeps mail for the local parts named in maildirs, offers STARTTLS with the
    certificate given, and sends all other mail to the host set by `relay_through`.
    `options` are settings of main.cf that take precedence over ours. Needs root, as
    Postfix does.
    """

    def __init__(
        self,
        domain: str,
        *locals: str,
        cert_file: Path,
        key_file: Path,
        options: Mapping[str, str] | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.domain = domain
        self.host = host
        self._locals = locals
        self.port = free_port()
        self.folder = open_folder()
        self._daemon: Daemon | None = None
        self._settings = {
            **self._base_settings(),
            "smtpd_tls_security_level": "may",
            "smtpd_tls_cert_file": str(cert_file),
            "smtpd_tls_key_file": str(key_file),
            **(options or {}),
        }

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        remove_folder(self.folder)

    def relay_through(
        self, host: str, port: int, *, username: str, password: str, ca_file: Path
    ) -> None:
        """Relays other mail to this host, signed in, over verified TLS."""
        secrets = self.folder / "sasl"
        secrets.write_text(f"[{host}]:{port} {username}:{password}\n")
        secrets.chmod(0o600)
        self._settings |= {
            "relayhost": f"[{host}]:{port}",
            "smtp_sasl_auth_enable": "yes",
            "smtp_sasl_password_maps": f"texthash:{secrets}",
            "smtp_sasl_security_options": "noanonymous",
            "smtp_tls_security_level": "verify",
            "smtp_tls_CAfile": str(ca_file),
        }

    def start(self) -> None:
        config = self.folder / "etc"
        for name, mode in (("etc", 0o755), ("queue", 0o755), ("mail", 0o777)):
            (self.folder / name).mkdir(exist_ok=True)
            (self.folder / name).chmod(mode)
        lines = [f"{name} = {value}\n" for name, value in self._settings.items()]
        _replace(config / "main.cf", "".join(lines))
        mailboxes = [f"{local}@{self.domain} {local}/\n" for local in self._locals]
        _replace(config / "mailboxes", "".join(mailboxes))
        _replace(config / "master.cf", SERVICES.format(host=self.host, port=self.port))
        if not (self.folder / "data").exists():
            self._command(["postfix", "-c", str(config), "check"])
        command = [MASTER, "-d", "-c", str(config)]
        self._daemon = Daemon(command, self.folder / "master.log")
        self._daemon.wait_for(lambda: answers(self.port))

    @property
    def pid(self) -> int:
        """The process that starts all others: Postfix's master."""
        if self._daemon is None:
            raise PeerError("Postfix is not running.")
        return self._daemon.pid

    def count(self, local: str) -> int:
        """Returns how many messages that local part has, without reading them."""
        folder = self.folder / "mail" / local / "new"
        return sum(1 for _ in os.scandir(folder)) if folder.exists() else 0

    def stop(self) -> None:
        """Stops the process; queued and delivered mail stays for the next start."""
        if self._daemon:
            self._daemon.stop()
            self._daemon = None

    def send(
        self,
        message: bytes,
        *,
        sender: str,
        recipients: list[str],
        options: Sequence[str] = (),
    ) -> None:
        """Injects a message as a program on Postfix's own host would.

        `options` are those of its sendmail command.
        """
        command = ["sendmail", "-C", str(self.folder / "etc"), "-i", "-f", sender]
        self._command([*command, *options, "--", *recipients], message)

    def retry_now(self) -> None:
        self._command(["postqueue", "-c", str(self.folder / "etc"), "-f"])

    def queue(self) -> str:
        """Returns the output of `postqueue -p`."""
        return self._command(["postqueue", "-c", str(self.folder / "etc"), "-p"])

    def messages(self, local: str) -> list[bytes]:
        """Returns the messages delivered to that local part, oldest first."""
        files = [
            path
            for part in ("new", "cur")
            for path in (self.folder / "mail" / local / part).glob("*")
        ]
        ordered = sorted(files, key=lambda path: (path.stat().st_mtime_ns, path.name))
        return [path.read_bytes() for path in ordered]

    def wait_for_messages(self, local: str, count: int = 1) -> list[bytes]:
        """Raises PeerError with Postfix's log if they do not arrive."""
        try:
            wait_until(lambda: len(self.messages(local)) >= count, f"mail for {local}")
        except PeerError as error:
            raise PeerError(f"{error}\n{self.log()}") from error
        return self.messages(local)

    def log(self) -> str:
        path = self.folder / "postfix.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _command(self, command: list[str], message: bytes = b"") -> str:
        done = subprocess.run(command, input=message, capture_output=True, check=False)
        if done.returncode:
            raise PeerError(done.stderr.decode(errors="replace"))
        return done.stdout.decode(errors="replace")

    def _base_settings(self) -> dict[str, str]:
        return {
            "compatibility_level": "3.6",
            "queue_directory": f"{self.folder}/queue",
            "data_directory": f"{self.folder}/data",
            "maillog_file": f"{self.folder}/postfix.log",
            "maillog_file_prefixes": str(self.folder),
            "mail_owner": "postfix",
            "setgid_group": "postdrop",
            "inet_interfaces": "all" if self.host == "0.0.0.0" else self.host,
            "inet_protocols": "ipv4",
            "myhostname": f"mail.{self.domain}",
            "myorigin": self.domain,
            "mydestination": "",
            "mynetworks": "127.0.0.0/8",
            "smtp_host_lookup": "native",
            "message_size_limit": str(100 * 1024 * 1024),
            "virtual_mailbox_limit": "0",
            "virtual_mailbox_domains": self.domain,
            "virtual_mailbox_base": f"{self.folder}/mail",
            "virtual_mailbox_maps": f"texthash:{self.folder}/etc/mailboxes",
            "alias_maps": "",
            "virtual_uid_maps": "static:65534",
            "virtual_gid_maps": "static:65534",
            "virtual_minimum_uid": "1",
            "queue_run_delay": "1s",
            "minimal_backoff_time": "1s",
            "maximal_backoff_time": "2s",
        }


def _replace(path: Path, text: str) -> None:
    """Writes a file that others may be reading.

    A `sendmail` that reads an empty main.cf leaves its message in the system's queue.
    """
    new = path.with_name(f"{path.name}.new")
    new.write_text(text)
    new.replace(path)
