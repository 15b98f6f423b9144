"""Runs mail programs of the terminal, and keeps what they hand to sendmail."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from tests.corpus.letter import RECIPIENT, SENDER, SENDER_NAME
from tests.peers.process import PATIENCE, PeerError

# Seconds for one session at the terminal.
SECONDS = 20
CAPTURE = '#!/bin/sh\nexec cat >"$CAPTURED"\n'
MIME_TYPES = """\
application/pdf pdf
image/png png
text/calendar ics
text/html html
text/plain txt
message/rfc822 eml
"""


class Terminal:
    """A folder that is the home of one program, with a stand-in for sendmail."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sendmail = folder / "sendmail"
        self.sendmail.write_text(CAPTURE)
        self.sendmail.chmod(0o755)
        (folder / ".mime.types").write_text(MIME_TYPES)
        self._captured = folder / "captured"
        self._environment = {
            "HOME": str(folder),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "EMAIL": f"{SENDER_NAME} <{SENDER}>",
            "CAPTURED": str(self._captured),
        }

    def run(self, command: list[str], written: bytes) -> bytes:
        """Runs a command with this input, and returns the message that it sends."""
        done = subprocess.run(
            command,
            input=written,
            capture_output=True,
            check=False,
            env=self._environment,
            cwd=self.folder,
            timeout=PATIENCE,
        )
        said = done.stdout + done.stderr
        return self._taken(f"{command} ended with {done.returncode}: {said!r}")

    def drive(self, command: list[str], more: Mapping[str, str] | None = None) -> bytes:
        """Runs a command on a terminal of its own, and returns the message it sends."""
        child, screen = pty.fork()
        if child == 0:
            os.chdir(self.folder)
            os.execvpe(command[0], command, self._environment | dict(more or {}))
        shown, deadline = b"", time.monotonic() + SECONDS
        try:
            while time.monotonic() < deadline:
                if select.select([screen], [], [], 1)[0]:
                    shown += os.read(screen, 65536)
            os.kill(child, 9)
        except OSError:  # as reading ends when the program does
            pass
        os.close(screen)
        os.waitpid(child, 0)
        return self._taken(f"{command} showed {shown[-3000:]!r}")

    def _taken(self, otherwise: str) -> bytes:
        if not self._captured.exists():
            raise PeerError(otherwise)
        raw = self._captured.read_bytes()
        self._captured.unlink()
        return b"\r\n".join(raw.splitlines()) + b"\r\n"

    @property
    def recipient(self) -> str:
        return RECIPIENT
