"""Keeps blobs in an S3 bucket, by obstore: the store of several hosts."""

from __future__ import annotations

import hashlib
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from obstore import exceptions
from obstore.store import S3Store as Bucket

from engine.blobs import keys, read_cache
from engine.blobs.interface import BlobDamagedError, BlobStoreError, Kind, Stored
from engine.blobs.s3_address import S3Address
from engine.secrets import state_folder

if TYPE_CHECKING:
    # Types only: the library has no such names when it runs.
    from obstore.store import ClientConfig, S3Config

# Larger files are sent in parts of this size, of which two are in memory at once.
PART = 5 * 1024 * 1024
PARTS_AT_ONCE = 2
CHUNK = 1024 * 1024
# A download may take twice a request's time, and this many octets a second beyond.
SLOWEST_READ = 256 * 1024
RETRIES = 10
_REFUSALS = ("NoSuchBucket", "status code: 401", "status code: 403")
# Retries end after so many times the timeout of a request.
PATIENCE = 2
PROBE_SECONDS = 4.0


class S3Store:
    """A bucket, or what is below a prefix of it.

    A blob is read by downloading it whole, so that a slow reader holds no connection to
    the store, and every reader gets a file, verified, in which it can seek.
    """

    def __init__(self, address: S3Address) -> None:
        self._address = address
        self._writing = _bucket(address, timeout=timedelta(seconds=address.timeout))
        self._probing = _bucket(
            replace(address, timeout=min(PROBE_SECONDS, address.timeout) / PATIENCE),
            timeout=timedelta(seconds=PROBE_SECONDS / PATIENCE),
        )
        # Of an unknown size, so that only silence ends a request early.
        self._reading = _bucket(
            address,
            timeout=timedelta(hours=1),
            read_timeout=timedelta(seconds=address.timeout),
        )

    @property
    def name(self) -> str:
        """The URL without credentials."""
        return self._address.name

    @property
    def identity(self) -> str:
        """The bucket and its endpoint."""
        return self._address.name

    def probe(self) -> None:
        """Writes an object of this host, in a few seconds or not at all."""
        with self._failures("probe"):
            self._probing.put(f"probe/{socket.gethostname()}", b"")

    def put(self, kind: Kind, key: str, path: Path) -> None:
        """Uploads a file, with SHA-256 checksums that the store verifies.

        Returns once the store has confirmed it whole. The file becomes the cached copy.
        """
        with self._failures(key):
            self._writing.put(
                _object(kind, key),
                path,
                chunk_size=PART,
                use_multipart=path.stat().st_size > PART,
                max_concurrency=PARTS_AT_ONCE,
            )
        if kind is Kind.BODY:
            read_cache.take_over(key, path)
        path.unlink(missing_ok=True)

    def open(self, kind: Kind, key: str) -> BinaryIO:
        """Opens the cached copy, or a download. Raises FileNotFoundError."""
        keys.check(key)
        if kind is Kind.BODY and (cached := read_cache.open_copy(key)):
            return cached
        folder = state_folder.subfolder("spool")
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            path = Path(file.name)
            try:
                self._download(kind, key, cast(BinaryIO, file))
                file.flush()
                opened = path.open("rb")
                if kind is Kind.BODY:
                    read_cache.take_over(key, path)
                return opened
            finally:
                path.unlink(missing_ok=True)

    def digest(self, kind: Kind, key: str) -> str:
        """Reads the object and returns its SHA-256. Raises FileNotFoundError."""
        digest = hashlib.sha256()
        for chunk in self._chunks(kind, key):
            digest.update(chunk)
        return digest.hexdigest()

    def find(self, kind: Kind, key: str) -> Stored | None:
        """Returns the object's size and time."""
        try:
            with self._failures(key):
                found = self._writing.head(_object(kind, key))
        except FileNotFoundError:
            self._confirm_missing(kind, key)
            return None
        return Stored(key, found["size"], found["last_modified"].timestamp())

    def delete(self, kind: Kind, key: str) -> None:
        """Deletes the object and its cached copy."""
        read_cache.forget(key)
        try:
            with self._failures(key):
                self._writing.delete(_object(kind, key))
        except FileNotFoundError:
            self._confirm_missing(kind, key)

    def list(self, kind: Kind, *, after: str = "") -> Iterator[Stored]:
        """Yields the objects, a page of them at a time."""
        start = _object(kind, after) if after else None
        pages = iter(self._writing.list(kind.value, offset=start))
        while True:
            with self._failures(kind.value):
                page = next(pages, None)
            if page is None:
                return
            for found in page:
                key = found["path"].removeprefix(f"{kind}/")
                yield Stored(key, found["size"], found["last_modified"].timestamp())

    def _download(self, kind: Kind, key: str, file: BinaryIO) -> None:
        digest = hashlib.sha256()
        for chunk in self._chunks(kind, key):
            file.write(chunk)
            digest.update(chunk)
        if keys.digest_in(key) not in (None, digest.hexdigest()):
            raise BlobDamagedError(
                f"{kind}/{key} in {self.name} is damaged: its SHA-256 is another one."
            )

    def _chunks(self, kind: Kind, key: str) -> Iterator[bytes]:
        began, size = time.monotonic(), 0
        with self._failures(key):
            chunks = iter(self._reading.get(_object(kind, key)).stream(CHUNK))
        while True:
            # Not around the yield: the caller's own errors are none of the store's.
            with self._failures(key):
                chunk = next(chunks, None)
            if chunk is None:
                return
            yield chunk
            size += len(chunk)
            allowed = 2 * self._address.timeout + size / SLOWEST_READ
            if time.monotonic() - began > allowed:
                raise BlobStoreError(f"{self.name} sends {key} too slowly.")

    def _confirm_missing(self, kind: Kind, key: str) -> None:
        """Raises BlobStoreError if it is the bucket that is missing.

        The answer to HEAD has no body that would say which of the two it is.
        """
        try:
            with self._failures(key):
                self._writing.get(_object(kind, key), options={"range": (0, 1)})
        except FileNotFoundError:
            return

    @contextmanager
    def _failures(self, key: str) -> Iterator[None]:
        """Raises BlobStoreError for obstore's exceptions (0.12.1)."""
        try:
            yield
        except FileNotFoundError as error:
            # Also raised where the bucket does not exist: then no message is "gone".
            if _is_refusal(error):
                raise self._refusal(error) from error
            raise FileNotFoundError(f"{key} is not in {self.name}.") from error
        except (
            exceptions.PermissionDeniedError,
            exceptions.UnauthenticatedError,
        ) as error:
            raise self._refusal(error) from error
        except exceptions.BaseError as error:
            if _is_refusal(error):
                raise self._refusal(error) from error
            raise BlobStoreError(
                f"{self.name} does not answer: {_first_line(error)}"
            ) from error

    def _refusal(self, error: Exception) -> BlobStoreError:
        return BlobStoreError(
            f"{self.name} refuses us: {_first_line(error)} Check POSTERN_BLOB_URL.",
            is_permanent=True,
        )


def _bucket(
    address: S3Address, *, timeout: timedelta, read_timeout: timedelta | None = None
) -> Bucket:
    options: ClientConfig = {
        "allow_http": address.endpoint.startswith("http://"),
        "connect_timeout": timedelta(seconds=min(5.0, address.timeout)),
        "timeout": timeout,
    }
    if read_timeout is not None:
        options["read_timeout"] = read_timeout
    if address.ca:
        options["root_certificate"] = Path(address.ca).read_bytes()
    config: S3Config = {
        "region": address.region,
        "virtual_hosted_style_request": address.is_virtual_hosted,
        "checksum_algorithm": "SHA256",
        # Not every store knows the request that deletes several.
        "disable_bulk_delete": True,
    }
    if address.access_key:
        config["access_key_id"] = address.access_key
        config["secret_access_key"] = address.secret_key
    if address.endpoint:
        config["endpoint"] = address.endpoint
    return Bucket(
        address.bucket,
        prefix=address.prefix or None,
        config=config,
        client_options=options,
        retry_config={
            "max_retries": RETRIES,
            "retry_timeout": timedelta(seconds=PATIENCE * address.timeout),
        },
    )


def _object(kind: Kind, key: str) -> str:
    keys.check(key)
    return f"{kind}/{key}"


def _is_refusal(error: Exception) -> bool:
    """Returns whether a request is refused for good, by the text that obstore gives.

    Listing raises the exception of no special kind for it.
    """
    return any(sign in str(error) for sign in _REFUSALS)


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0][:300]
