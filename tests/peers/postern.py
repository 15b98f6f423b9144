"""The whole service as `make run` starts it, in its own folder, on free ports."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.peers.process import Daemon, PeerError, free_port, open_folder, remove_folder

PORTS = {
    "WEB": "web",
    "SMTP": "smtp",
    "SUBMISSION": "submission",
    "SUBMISSIONS": "submissions",
    "POP3": "pop3",
    "POP3S": "pop3s",
}
# Seconds for migrating, collecting static files and loading the demo on a slow machine.
PATIENCE = 240


class Postern:
    """`manage.py up`. `demo` holds demo.json: people, passwords and keys."""

    def __init__(
        self,
        copy_of: Path | None = None,
        *,
        home: Path | None = None,
        **environment: str,
    ) -> None:
        """Starts from a copy of a state folder, or from nothing as on a new machine.

        `home` is a worktree of another version, with its own environment.
        """
        self.folder = open_folder()
        self._python = str(home / ".venv/bin/python") if home else sys.executable
        self._home = home
        if copy_of is not None:
            shutil.copytree(copy_of, self.folder, dirs_exist_ok=True)
        self.ports = {name: free_port() for name in PORTS.values()}
        self.web = f"http://localhost:{self.ports['web']}"
        self.environment = {
            "POSTERN_ENV": "development",
            "POSTERN_VAR": str(self.folder),
            "POSTERN_WEB_URL": self.web,
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            **{
                f"POSTERN_{variable}_PORT": str(self.ports[name])
                for variable, name in PORTS.items()
            },
            **environment,
        }
        self._daemon: Daemon | None = None
        self.demo: dict[str, Any] = {}

    def __enter__(self) -> Self:
        # A copied folder may hold the log of an earlier start.
        (self.folder / "up.log").unlink(missing_ok=True)
        self._daemon = Daemon(
            [self._python, "manage.py", "up"],
            self.folder / "up.log",
            env=self.environment,
            cwd=self._home,
        )
        try:
            self._daemon.wait_for(lambda: "Ctrl-C stops it." in self.log, PATIENCE)
        except PeerError:
            self._daemon.stop()
            raise
        self.demo = json.loads((self.folder / "demo.json").read_text())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            error.add_note(f"The service said last:\n{self.log[-6000:]}")
        self.stop()
        remove_folder(self.folder)

    def stop(self) -> None:
        """Stops the process gracefully; the folder stays until the context is left."""
        if self._daemon is not None:
            self._daemon.stop()
            self._daemon = None

    @property
    def ca_file(self) -> Path:
        return self.folder / "tls" / "ca.pem"

    @property
    def log(self) -> str:
        path = self.folder / "up.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def person(self, role: str, **facts: str) -> dict[str, str]:
        """Returns the first demo person with this role and these values."""
        return next(
            person
            for person in self.demo["people"]
            if person["role"] == role
            and all(person[name] == value for name, value in facts.items())
        )
