"""A private Exim: a member organisation's own server, of another kind than Postfix."""

from __future__ import annotations

import shutil
import subprocess
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

# Debian's packages of Exim and Postfix conflict, so .ci/prepare unpacks Exim in a
# folder.
ROOT = Path(__file__).parents[2] / ".venv" / "exim"
PROGRAM = ROOT / "usr/sbin/exim4"
USER = "Debian-exim"

CONFIG = """\
exim_path = {folder}/exim4
primary_hostname = mail.{domain}
qualify_domain = {domain}
domainlist local_domains = {domain}
spool_directory = {folder}/spool
log_file_path = {folder}/%slog
local_interfaces = <; [127.0.0.1]:{port}
tls_certificate = {cert_file}
tls_privatekey = {key_file}
tls_advertise_hosts = *
acl_smtp_rcpt = recipient
deliver_drop_privilege = true
keep_environment =

begin acl
recipient:
  accept domains = +local_domains
  deny message = not a relay

begin routers
here:
  driver = accept
  domains = +local_domains
  local_parts = {local}
  transport = maildir
gate:
  driver = manualroute
  domains = ! +local_domains
  route_list = * {gate_host} byname
  self = send
  transport = gate

begin transports
maildir:
  driver = appendfile
  directory = {folder}/mail
  maildir_format
gate:
  driver = smtp
  port = {gate_port}
  allow_localhost = true
  hosts_require_tls = *
  hosts_require_auth = *
  tls_verify_certificates = {ca_file}
  tls_verify_hosts = *
  tls_verify_cert_hostnames = *

begin retry
* * F,1h,1s

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  client_send = ^{username}^{password}
"""


class Exim:
    """One Exim with its own configuration, queue, log and mail folder.

    It keeps mail for one local part, offers STARTTLS with the certificate given, and
    relays all other mail through the gateway, signed in, over TLS with verification: it
    uses the values of a welcome letter and no others. Needs root, as Exim does.
    """

    def __init__(
        self,
        domain: str,
        local: str,
        *,
        cert_file: Path,
        key_file: Path,
        gate_host: str,
        gate_port: int,
        username: str,
        password: str,
        ca_file: Path,
    ) -> None:
        self.port = free_port()
        self.folder = open_folder()
        self._daemon: Daemon | None = None
        self._facts = {
            "domain": domain,
            "local": local,
            "gate_host": gate_host,
            "gate_port": gate_port,
            "username": username,
            "password": password,
        }
        self._files = {
            "cert_file": cert_file,
            "key_file": key_file,
            "ca_file": ca_file,
        }

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        remove_folder(self.folder)

    @property
    def _program(self) -> Path:
        """Copies the program to where Exim's own user can execute it."""
        return self.folder / "exim4"

    @property
    def _config(self) -> Path:
        return self.folder / "exim.conf"

    def start(self) -> None:
        if not PROGRAM.exists():
            raise PeerError(f"{PROGRAM} is missing: run .ci/prepare test")
        shutil.copy(PROGRAM, self._program)
        copies = {name: self._copy(file) for name, file in self._files.items()}
        self._config.write_text(self._text(copies))
        subprocess.run(["chown", "-R", f"{USER}:", str(self.folder)], check=True)
        # Exim accepts a configuration file only if no user but root can write it.
        subprocess.run(["chown", "root:", str(self._config)], check=True)
        command = [str(self._program), "-C", str(self._config), "-bdf", "-q1s"]
        self._daemon = Daemon(command, self.folder / "daemon.log")
        self._daemon.wait_for(lambda: answers(self.port))

    def _text(self, copies: dict[str, Path]) -> str:
        return CONFIG.format(
            folder=self.folder, port=self.port, **self._facts, **copies
        )

    def stop(self) -> None:
        """Stops the process; queued and delivered mail stays for the next start."""
        if self._daemon:
            self._daemon.stop()
            self._daemon = None

    def send(self, message: bytes, *, sender: str, recipients: list[str]) -> None:
        """Injects a message as a program on Exim's own host would."""
        command = [
            str(self._program),
            "-C",
            str(self._config),
            "-i",
            "-odq",
            "-f",
            sender,
        ]
        done = subprocess.run(
            [*command, "--", *recipients],
            input=message,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise PeerError(done.stderr.decode(errors="replace"))

    def messages(self) -> list[bytes]:
        """Returns the messages delivered here."""
        return [path.read_bytes() for path in sorted(self.folder.glob("mail/new/*"))]

    def wait_for_messages(self, count: int = 1) -> list[bytes]:
        """Raises PeerError with Exim's log if they do not arrive."""
        try:
            wait_until(lambda: len(self.messages()) >= count, "mail for Exim")
        except PeerError as error:
            raise PeerError(f"{error}\n{self.log()}") from error
        return self.messages()

    def log(self) -> str:
        return "".join(
            path.read_text(errors="replace") for path in self.folder.glob("*log")
        )

    def _copy(self, file: Path) -> Path:
        """Copies a file to where Exim's own user can read it."""
        copy = self.folder / file.name
        copy.write_bytes(file.read_bytes())
        return copy
