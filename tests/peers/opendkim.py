"""OpenDKIM: a milter that verifies DKIM signatures for a member's Postfix."""

from __future__ import annotations

from tests.peers.milter import Milter

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


class OpenDkim(Milter):
    """One OpenDKIM, which asks one name server, `host:port`, for keys.

    It writes what it found into Authentication-Results under NAME.
    """

    def __init__(self, name_server: str) -> None:
        super().__init__()
        self._name_server = name_server

    def configure(self) -> list[str]:
        (self.folder / "internal").write_text("192.0.2.1\n")
        server = self._name_server.replace(":", "@")
        (self.folder / "unbound.conf").write_text(RESOLVER.format(server=server))
        config = self.folder / "opendkim.conf"
        config.write_text(CONFIG.format(port=self.port, name=NAME, folder=self.folder))
        return [PROGRAM, "-f", "-x", str(config)]
