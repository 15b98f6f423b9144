"""msmtp: sends one message by submission, as a member's mail program would."""

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
from {sender}
"""


def send(
    port: int,
    message: bytes,
    *,
    sender: str,
    recipients: list[str],
    username: str,
    password: str,
    ca_file: Path,
    auth: str = "on",
    host: str = "localhost",
    starttls: bool = True,
) -> str:
    """Sends a message and returns what was said. Raises PeerError with msmtp's output.

    `auth` names a mechanism, or is "on" for the one that msmtp likes best.
    """
    folder = open_folder()
    try:
        (folder / "password").write_text(password)
        config = folder / "msmtprc"
        config.write_text(
            CONFIG.format(
                folder=folder,
                host=host,
                port=port,
                username=username,
                ca_file=ca_file,
                auth=auth,
                sender=sender,
                starttls="on" if starttls else "off",
            )
        )
        config.chmod(0o600)
        command = ["msmtp", "-C", str(config), "-d", "-a", "postern", "--", *recipients]
        done = subprocess.run(command, input=message, capture_output=True, check=False)
    finally:
        remove_folder(folder)
    said = (done.stdout + done.stderr).decode(errors="replace")
    if done.returncode:
        raise PeerError(said)
    return said
