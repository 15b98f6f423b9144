"""A TLS tunnel for programs that speak SMTP only in clear text."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from tests.peers.process import Daemon, answers, free_port, open_folder, remove_folder

CONFIG = """\
foreground = yes
pid =
debug = warning
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
[smtp]
client = yes
accept = 127.0.0.1:{port}
connect = 127.0.0.1:{target}
protocol = smtp
verifyChain = yes
CAfile = {ca_file}
"""


class Stunnel:
    """Listens in clear text; uses STARTTLS with `target` and verifies its chain."""

    def __init__(self, target: int, *, ca_file: Path) -> None:
        self.port = free_port()
        self.folder = open_folder()
        self._config = CONFIG.format(port=self.port, target=target, ca_file=ca_file)

    def __enter__(self) -> Self:
        config = self.folder / "stunnel.conf"
        config.write_text(self._config)
        self._daemon = Daemon(["stunnel", str(config)], self.folder / "stunnel.log")
        self._daemon.wait_for(lambda: answers(self.port))
        return self

    def __exit__(self, *_: object) -> None:
        self._daemon.stop()
        remove_folder(self.folder)
