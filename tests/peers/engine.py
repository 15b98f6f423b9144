"""Our own mail engine as a separate process, on the database of the running test."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from portal.demo.certificates import Authority
from tests.peers.process import (
    Daemon,
    PeerError,
    answers,
    free_port,
    open_folder,
    remove_folder,
    wait_until,
)

PORTS = ("smtp", "submission", "submissions", "pop3", "pop3s")


class Engine:
    """`manage.py run_engine` with free ports and the test's own state folder.

    `home` is the folder of another version of the service.
    """

    def __init__(
        self, authority: Authority, *, home: Path | None = None, **environment: str
    ) -> None:
        self.home = home
        own = authority.issue("localhost", "127.0.0.1")
        self.folder = open_folder()
        self.ports = {name: free_port() for name in PORTS}
        self.environment = {
            "POSTERN_ENV": "test",
            "POSTERN_VAR": str(settings.POSTERN.var),
            # Refused at once: no message waits for name servers.
            "POSTERN_DNS_SERVERS": json.dumps(settings.POSTERN.dns_servers),
            "POSTERN_DATABASE_URL": database_url(),
            "POSTERN_TLS_CERT_FILE": str(own.cert_file),
            "POSTERN_TLS_KEY_FILE": str(own.key_file),
            "POSTERN_TLS_CA_FILE": str(authority.ca_file),
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            **{
                f"POSTERN_{name.upper()}_PORT": str(port)
                for name, port in self.ports.items()
            },
            **environment,
        }
        self._daemon: Daemon | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self.stop()
        remove_folder(self.folder)

    @property
    def pid(self) -> int:
        assert self._daemon is not None
        return self._daemon.pid

    @property
    def log(self) -> str:
        return (self.folder / "engine.log").read_text(errors="replace")

    @property
    def faults(self) -> int:
        """How many tracebacks its log has."""
        return self.log.count("Traceback")

    def start(self) -> None:
        """Starts the process and waits until every port accepts connections."""
        self._daemon = Daemon(
            [sys.executable, "manage.py", "run_engine"],
            self.folder / "engine.log",
            env=self.environment,
            cwd=self.home,
        )
        self._daemon.wait_for(lambda: all(map(answers, self.ports.values())))

    def stop(self) -> None:
        """Stops the process gracefully."""
        if self._daemon is not None:
            self._daemon.stop()
            self._daemon = None

    def kill(self) -> None:
        """Ends the process immediately with SIGKILL, like a power cut."""
        assert self._daemon is not None
        os.kill(self._daemon.pid, signal.SIGKILL)
        self._daemon.stop()
        self._daemon = None

    def resident_memory(self) -> int:
        """Returns the resident memory in octets."""
        pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


class RestartedEngine(Engine):
    """An engine that is restarted many times, but imports its modules once."""

    def __init__(self, authority: Authority, **environment: str) -> None:
        super().__init__(authority, **environment)
        self._starter: subprocess.Popen[str] | None = None
        self._pid = 0

    def __enter__(self) -> Self:
        log = str(self.folder / "engine.log")
        self._starter = subprocess.Popen(
            [sys.executable, "-m", "tests.peers.engine_starter", log],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **self.environment},
        )
        try:
            return super().__enter__()
        except PeerError:
            # Otherwise it would keep running during later tests.
            self.__exit__()
            raise

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        if self._starter is not None:
            self._starter.communicate()

    @property
    def pid(self) -> int:
        return self._pid

    def start(self) -> None:
        self._pid = int(self._ask("start"))
        wait_until(
            lambda: all(map(answers, self.ports.values())), "start of the engine"
        )

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._pid:
            os.kill(self._pid, how)
            self._ask(f"wait {self._pid}")
            self._pid = 0

    def _ask(self, what: str) -> str:
        """Sends a line to the starter and returns its answer.

        Raises PeerError if the starter has ended.
        """
        assert (
            self._starter is not None and self._starter.stdin and self._starter.stdout
        )
        self._starter.stdin.write(what + "\n")
        self._starter.stdin.flush()
        if not (answer := self._starter.stdout.readline()):
            raise PeerError(self.log[-2000:])
        return answer


def database_url() -> str:
    made = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite://{quote(str(made['NAME']))}"
    user, password = quote(made["USER"]), quote(made["PASSWORD"])
    host = f"{made['HOST']}:{made['PORT']}"
    return f"postgresql://{user}:{password}@{host}/{made['NAME']}"
