"""A real clamd whose database holds a single signature."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

from tests.peers.process import Daemon

# Split, so that this file does not match the signature itself.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-" + rb"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
SIGNATURE = "Postern.Test.EICAR.UNOFFICIAL"

# Where `.ci/prepare test` unpacks libclamunrar, which clamd needs to open RAR archives.
_UNPACKED = Path(__file__).parents[2] / ".venv/unrar"

CONFIGURATION = """
Foreground yes
LocalSocket {folder}/clamd.socket
DatabaseDirectory {folder}/database
TemporaryDirectory {folder}
AlertEncryptedArchive yes
AlertEncryptedDoc yes
AlertExceedsMax yes
StreamMaxLength {stream_max_length}
"""


def unrar_libraries() -> list[Path]:
    """Returns the folder with libclamunrar, or None where it is not available."""
    return [
        found.parent for found in _UNPACKED.glob("usr/lib/*/libclamunrar_iface.so.*")
    ][:1]


def has_unrar() -> bool:
    """Whether the package is installed, so that every clamd here opens RAR archives."""
    return any(Path("/usr/lib").glob("*/libclamunrar_iface.so.*"))


class Clamd:
    """Listens on a Unix socket in `folder`, whose path must be short."""

    def __init__(
        self,
        folder: Path,
        *,
        stream_max_length: str = "100M",
        settings: str = "",
        libraries: Path | None = None,
    ) -> None:
        """`settings` are added to clamd.conf. clamd loads shared libraries, such as
        libclamunrar, from `libraries` before other folders."""
        self.folder = folder
        self.libraries = libraries
        self.socket = str(folder / "clamd.socket")
        self._daemon: Daemon | None = None
        database = folder / "database"
        database.mkdir(parents=True)
        (database / "local.ndb").write_text(f"Postern.Test.EICAR:0:*:{EICAR.hex()}\n")
        (folder / "clamd.conf").write_text(
            CONFIGURATION.format(folder=folder, stream_max_length=stream_max_length)
            + settings
        )

    def start(self) -> None:
        self._daemon = Daemon(
            ["/usr/sbin/clamd", "--config-file", str(self.folder / "clamd.conf")],
            self.folder / "clamd.log",
            env={"LD_LIBRARY_PATH": str(self.libraries)} if self.libraries else None,
        )
        self._daemon.wait_for(self._listens)

    def _listens(self) -> bool:
        """Whether clamd accepts connections: it creates its socket slightly earlier."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.connect(self.socket)
            return True
        return False

    def stop(self) -> None:
        if self._daemon is not None:
            self._daemon.stop()
            self._daemon = None

    close = stop
