"""swaks: runs one SMTP session as specified, and returns its transcript."""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Conversation:
    """The result of swaks. Exit code 0 is success; its manual lists the others."""

    code: int
    transcript: str

    @property
    def refusal(self) -> str:
        """The last line marked as an error of the server, or an empty string."""
        lines = re.findall(r"^<[~\-*]\* +(.*)$", self.transcript, re.MULTILINE)
        return lines[-1].strip() if lines else ""


def swaks(
    port: int,
    *options: str,
    sender: str,
    recipient: str,
    message: bytes = b"Subject: A message\n\nHello.\n",
) -> Conversation:
    """Sends a message to a server on loopback. swaks adds the final line end itself."""
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


def tls_options(ca_file: Path, name: str = "localhost") -> list[str]:
    """Returns options for STARTTLS that verify that name's certificate."""
    return [
        *("--tls", "--tls-verify", "--tls-ca-path", str(ca_file), "--tls-sni", name),
        *(["--tls-verify-target", name] if _compares_names() else []),
    ]


def _compares_names() -> bool:
    """Whether swaks checks host names: older versions verify the chain only."""
    said = subprocess.run(
        ["swaks", "--version"], capture_output=True, check=True, text=True
    )
    return said.stdout.split()[2] >= "20240103"


def login_options(username: str, password: str) -> list[str]:
    return ["--auth", "PLAIN", "--auth-user", username, "--auth-password", password]
