"""mpop: downloads a maildrop by POP3, as a member's mail program would."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.peers.process import PeerError, open_folder, remove_folder

CONFIG = """\
account postern
host {host}
port {port}
user {username}
passwordeval cat {folder}/password
tls on
tls_starttls {starttls}
tls_trust_file {ca_file}
auth {auth}
uidls_file {folder}/uidls
delivery maildir {folder}/mail
keep {keep}
received_header off
"""


def download(
    port: int,
    *,
    username: str,
    password: str,
    ca_file: Path,
    host: str = "localhost",
    starttls: bool = False,
    keep: bool = True,
    auth: str = "user",
) -> list[bytes]:
    """Downloads every message of a maildrop over TLS.

    `starttls` is for the port where TLS begins with STLS. Raises PeerError with mpop's
    output.
    """
    folder = open_folder()
    try:
        return _download(
            folder,
            host=host,
            port=port,
            username=username,
            password=password,
            ca_file=ca_file,
            starttls="on" if starttls else "off",
            keep="on" if keep else "off",
            auth=auth,
        )
    finally:
        remove_folder(folder)


def _download(folder: Path, *, password: str, **facts: object) -> list[bytes]:
    for part in ("mail/new", "mail/cur", "mail/tmp"):
        (folder / part).mkdir(parents=True)
    (folder / "password").write_text(password)
    config = folder / "mpoprc"
    config.write_text(CONFIG.format(folder=folder, **facts))
    config.chmod(0o600)
    command = ["mpop", "-C", str(config), "--quiet", "postern"]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    if done.returncode:
        raise PeerError(done.stderr or done.stdout)
    return [path.read_bytes() for path in sorted((folder / "mail/new").iterdir())]
