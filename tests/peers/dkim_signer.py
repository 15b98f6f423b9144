"""OpenDKIM as the milter that signs what a member's Postfix sends."""

from __future__ import annotations

from tests.peers.milter import Milter
from tests.peers.opendkim import PROGRAM
from tests.signing import Signer

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


class DkimSigner(Milter):
    """One OpenDKIM that signs for one domain."""

    def __init__(self, signer: Signer) -> None:
        super().__init__()
        self._signer = signer

    def configure(self) -> list[str]:
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
        return [PROGRAM, "-f", "-x", str(config)]
