"""A real clamd with a database of one signature."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

# In two halves, so that this file is not the test file itself.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-" + rb"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
SIGNATURE = "Postern.Test.EICAR.UNOFFICIAL"

CONFIGURATION = """
Foreground yes
LocalSocket {folder}/clamd.socket
DatabaseDirectory {folder}/database
TemporaryDirectory {folder}
LogFile {folder}/clamd.log
AlertEncryptedArchive yes
AlertExceedsMax yes
StreamMaxLength {stream_max_length}
"""


class Clamd:
    """Listens on a Unix socket in `folder`, which should have a short path."""

    def __init__(self, folder: Path, *, stream_max_length: str = "100M") -> None:
        self.folder = folder
        self.socket = str(folder / "clamd.socket")
        self._process: subprocess.Popen[bytes] | None = None
        database = folder / "database"
        database.mkdir(parents=True)
        (database / "local.ndb").write_text(f"Postern.Test.EICAR:0:*:{EICAR.hex()}\n")
        (folder / "clamd.conf").write_text(
            CONFIGURATION.format(folder=folder, stream_max_length=stream_max_length)
        )

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["/usr/sbin/clamd", "--config-file", self.folder / "clamd.conf"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        ends_at = time.monotonic() + 30
        while not Path(self.socket).exists():
            if self._process.poll() is not None or time.monotonic() > ends_at:
                raise RuntimeError((self.folder / "clamd.log").read_text())
            time.sleep(0.02)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=30)
            self._process = None
