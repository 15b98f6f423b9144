"""OpenDKIM as the milter that signs what a member's Postfix sends."""

from __future__ import annotations

from typing import Self

from tests.peers.process import Daemon, answers, free_port, open_folder, remove_folder
from tests.signing import Signer

PROGRAM = "/usr/sbin/opendkim"
CONFIG = """\
Mode s
Socket inet:{port}@127.0.0.1
Domain {domain}
Selector {selector}
KeyFile {key}
RequireSafeKeys no
Canonicalization relaxed/simple
InternalHosts 127.0.0.0/8
Background no
Syslog no
"""


class DkimSigner:
    """One OpenDKIM that signs for one domain."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self.port = free_port()
        self.folder = open_folder()
        self._daemon: Daemon | None = None

    @property
    def milter(self) -> str:
        """Its address, as Postfix's milters are named."""
        return f"inet:127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        key = self.folder / "key.pem"
        key.write_bytes(self._signer.private())
        config = self.folder / "opendkim.conf"
        config.write_text(
            CONFIG.format(
                port=self.port,
                domain=self._signer.domain,
                selector=self._signer.selector,
                key=key,
            )
        )
        command = [PROGRAM, "-f", "-x", str(config)]
        self._daemon = Daemon(command, self.folder / "opendkim.log")
        self._daemon.wait_for(lambda: answers(self.port))
        return self

    def __exit__(self, *error: object) -> None:
        if self._daemon is not None:
            self._daemon.stop()
        remove_folder(self.folder)
