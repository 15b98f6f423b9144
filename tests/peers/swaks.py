"""swaks: one SMTP conversation, exactly as asked, with its transcript."""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Conversation:
    """What swaks did. Code 0 is success; others are listed in its manual."""

    code: int
    transcript: str

    @property
    def refusal(self) -> str:
        """The last line that swaks marks as an error from the server, or nothing."""
        lines = re.findall(r"^<[~\-*]\* +(.*)$", self.transcript, re.MULTILINE)
        return lines[-1].strip() if lines else ""


def swaks(
    port: int,
    *options: str,
    sender: str,
    recipient: str,
    message: bytes = b"Subject: A message\n\nHello.\n",
) -> Conversation:
    """Talk to a server on loopback. swaks ends the message's last line itself."""
    lines = message.replace(b"\r\n", b"\n").removesuffix(b"\n")
    with tempfile.NamedTemporaryFile(suffix=".eml") as file:
        file.write(lines)
        file.flush()
        command = [
            "swaks", "--server", "127.0.0.1", "--port", str(port), "--timeout", "60",
            "--helo", "localhost", "--from", sender, "--to", recipient,
            "--data", f"@{file.name}", *options,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, check=False, text=True)
    return Conversation(done.returncode, done.stdout + done.stderr)


def tls(ca_file: Path, name: str = "localhost") -> list[str]:
    """Options for STARTTLS with a certificate of our authority, for that name."""
    return [
        *("--tls", "--tls-verify", "--tls-ca-path", str(ca_file), "--tls-sni", name),
        *(["--tls-verify-target", name] if _compares_names() else []),
    ]


def _compares_names() -> bool:
    """Older ones verify the chain only, and do not know the option."""
    said = subprocess.run(
        ["swaks", "--version"], capture_output=True, check=True, text=True
    )
    return said.stdout.split()[2] >= "20240103"


def signed_in(username: str, password: str) -> list[str]:
    return ["--auth", "PLAIN", "--auth-user", username, "--auth-password", password]
