"""OpenDKIM: a milter that verifies DKIM signatures for a member's Postfix."""

from __future__ import annotations

from typing import Self

from tests.peers.process import Daemon, answers, free_port, open_folder, remove_folder

PROGRAM = "/usr/sbin/opendkim"
NAME = "opendkim.test"
CONFIG = """\
Mode v
Socket inet:{port}@127.0.0.1
AuthservID {name}
AlwaysAddARHeader yes
# None, because it would sign mail of internal hosts instead.
InternalHosts {folder}/internal
ResolverConfiguration {folder}/unbound.conf
Background no
Syslog no
"""
# It resolves by libunbound.
RESOLVER = """\
server:
  module-config: "iterator"
  do-not-query-localhost: no
forward-zone:
  name: "."
  forward-addr: {server}
"""


class OpenDkim:
    """One OpenDKIM, which asks one name server, `host:port`, for keys.

    It writes what it found into Authentication-Results under NAME.
    """

    def __init__(self, name_server: str) -> None:
        self._name_server = name_server
        self.port = free_port()
        self.folder = open_folder()
        self._daemon: Daemon | None = None

    @property
    def milter(self) -> str:
        """Its address, as Postfix's smtpd_milters names it."""
        return f"inet:127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        (self.folder / "internal").write_text("192.0.2.1\n")
        server = self._name_server.replace(":", "@")
        (self.folder / "unbound.conf").write_text(RESOLVER.format(server=server))
        config = self.folder / "opendkim.conf"
        config.write_text(CONFIG.format(port=self.port, name=NAME, folder=self.folder))
        command = [PROGRAM, "-f", "-x", str(config)]
        self._daemon = Daemon(command, self.folder / "opendkim.log")
        self._daemon.wait_for(lambda: answers(self.port))
        return self

    def __exit__(self, *error: object) -> None:
        if self._daemon is not None:
            self._daemon.stop()
        remove_folder(self.folder)
