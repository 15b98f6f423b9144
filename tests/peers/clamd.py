"""A real clamd with a database of one signature."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

from tests.peers.process import Daemon

# In two halves, so that this file is not the test file itself.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-" + rb"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
SIGNATURE = "Postern.Test.EICAR.UNOFFICIAL"

# Where `.ci/prepare test` unpacks libclamunrar, which clamd opens RAR with.
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
    """The folder with libclamunrar, where it could be had; a clamd beside it opens RAR."""
    return [
        found.parent for found in _UNPACKED.glob("usr/lib/*/libclamunrar_iface.so.*")
    ][:1]


def has_unrar() -> bool:
    """Whether every clamd of this machine opens RAR: the package is installed."""
    return any(Path("/usr/lib").glob("*/libclamunrar_iface.so.*"))


class Clamd:
    """Listens on a Unix socket in `folder`, which should have a short path."""

    def __init__(
        self,
        folder: Path,
        *,
        stream_max_length: str = "100M",
        settings: str = "",
        libraries: Path | None = None,
    ) -> None:
        """`settings` are further lines of clamd.conf; clamd looks for what it loads by
        itself, such as libclamunrar, in `libraries` first."""
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
        """Returns whether clamd takes connections: its socket exists a little earlier."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.connect(self.socket)
            return True
        return False

    def stop(self) -> None:
        if self._daemon is not None:
            self._daemon.stop()
            self._daemon = None

    close = stop
