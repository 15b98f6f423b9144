"""Reads and writes objects in an S3 bucket, by obstore: for blobs and for backups."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from obstore import exceptions
from obstore.store import S3Store as Bucket

from engine.blobs.interface import BlobStoreError, Stored
from engine.blobs.s3_address import S3Address

if TYPE_CHECKING:
    # Types only: the library has no such names when it runs.
    from obstore.store import ClientConfig, S3Config

# Larger objects are sent in parts of this size, of which two are in memory at once.
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


class S3Bucket:
    """A bucket, or what is below a prefix of it.

    Blocks. Every method may raise BlobStoreError, which names the variable `setting` where
    the bucket refuses us.
    """

    def __init__(self, address: S3Address, *, setting: str) -> None:
        self._address, self._setting = address, setting
        authorities = self._authorities()
        self._writing = _opened(
            address, authorities, timeout=timedelta(seconds=address.timeout)
        )
        self._probing = _opened(
            replace(address, timeout=min(PROBE_SECONDS, address.timeout) / PATIENCE),
            authorities,
            timeout=timedelta(seconds=PROBE_SECONDS / PATIENCE),
        )
        # Of an unknown size, so that only silence ends a request early.
        self._reading = _opened(
            address,
            authorities,
            timeout=timedelta(hours=1),
            read_timeout=timedelta(seconds=address.timeout),
        )

    @property
    def name(self) -> str:
        """The URL without credentials."""
        return self._address.name

    def probe(self, name: str) -> None:
        """Writes an empty object, in a few seconds or not at all."""
        with self._write_failures(name):
            self._probing.put(name, b"")

    def put(self, name: str, content: bytes | Path) -> None:
        """Uploads octets or a file, with SHA-256 checksums that the store verifies.

        Returns once the store has confirmed the object whole.
        """
        size = content.stat().st_size if isinstance(content, Path) else len(content)
        with self._write_failures(name):
            self._writing.put(
                name,
                content,
                chunk_size=PART,
                use_multipart=size > PART,
                max_concurrency=PARTS_AT_ONCE,
            )

    def put_stream(self, name: str, chunks: Iterator[bytes], *, part: int) -> None:
        """Uploads what an iterator yields, in parts of that size, as `put` does.

        What the iterator raises ends the upload, which leaves nothing behind, and is
        raised.
        """
        source = _Source(chunks)
        try:
            with self._write_failures(name):
                self._writing.put(
                    name,
                    source,
                    chunk_size=part,
                    use_multipart=True,
                    max_concurrency=PARTS_AT_ONCE,
                )
        except BlobStoreError as error:
            # Where giving the upload up fails too, obstore 0.12.1 raises that alone.
            if source.error is None or source.error is error:
                raise
            raise source.error from error

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yields an object's content as it arrives. Raises FileNotFoundError."""
        began, size = time.monotonic(), 0
        with self._failures(name):
            chunks = iter(self._reading.get(name).stream(CHUNK))
        while True:
            # Not around the yield: the caller's own errors are none of the store's.
            with self._failures(name):
                chunk = next(chunks, None)
            if chunk is None:
                return
            yield chunk
            size += len(chunk)
            allowed = 2 * self._address.timeout + size / SLOWEST_READ
            if time.monotonic() - began > allowed:
                raise BlobStoreError(f"{self.name} sends {name} too slowly.")

    def find(self, name: str) -> Stored | None:
        """Returns an object's size and time."""
        try:
            with self._failures(name):
                found = self._writing.head(name)
        except FileNotFoundError:
            self._confirm_missing(name)
            return None
        return Stored(name, found["size"], found["last_modified"].timestamp())

    def delete(self, name: str) -> None:
        """Deletes an object; a missing one is no error."""
        try:
            with self._failures(name):
                self._writing.delete(name)
        except FileNotFoundError:
            self._confirm_missing(name)

    def list(self, folder: str, *, after: str | None = None) -> Iterator[Stored]:
        """Yields the objects in a folder and below, a page of them at a time."""
        pages = iter(self._writing.list(folder, offset=after))
        while True:
            with self._failures(folder):
                page = next(pages, None)
            if page is None:
                return
            for one in page:
                yield Stored(one["path"], one["size"], one["last_modified"].timestamp())

    def _authorities(self) -> bytes:
        """Reads the file of authorities, if the URL names one.

        Its absence must not be taken for that of an object, which is a FileNotFoundError.
        """
        if not self._address.ca:
            return b""
        try:
            return Path(self._address.ca).read_bytes()
        except OSError as error:
            raise BlobStoreError(
                f"The authorities of {self.name} cannot be read: {error}. "
                f"Correct ca in {self._setting}.",
                is_permanent=True,
            ) from error

    def _confirm_missing(self, name: str) -> None:
        """Raises BlobStoreError if it is the bucket that is missing.

        The answer to HEAD has no body that would say which of the two it is.
        """
        try:
            with self._failures(name):
                self._writing.get(name, options={"range": (0, 1)})
        except FileNotFoundError:
            return

    @contextmanager
    def _failures(self, name: str) -> Iterator[None]:
        """Raises BlobStoreError for obstore's exceptions (0.12.1)."""
        try:
            yield
        except FileNotFoundError as error:
            # Also raised where the bucket does not exist: then no message is "gone".
            if _is_refusal(error):
                raise self._refusal(error) from error
            raise FileNotFoundError(f"{name} is not in {self.name}.") from error
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

    @contextmanager
    def _write_failures(self, name: str) -> Iterator[None]:
        """Raises BlobStoreError alone.

        A store that has lost an upload says "not found", and callers would take it for
        the absence of what they read.
        """
        try:
            with self._failures(name):
                yield
        except FileNotFoundError as error:
            raise BlobStoreError(
                f"{self.name} does not answer: it lost the upload of {name}."
            ) from error

    def _refusal(self, error: Exception) -> BlobStoreError:
        return BlobStoreError(
            f"{self.name} refuses us: {_first_line(error)} Check {self._setting}.",
            is_permanent=True,
        )


class _Source:
    """The chunks of an upload, and what reading them raised."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.error: Exception | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._chunks)
        except StopIteration:
            raise
        except Exception as error:
            self.error = error
            raise


def _opened(
    address: S3Address,
    authorities: bytes,
    *,
    timeout: timedelta,
    read_timeout: timedelta | None = None,
) -> Bucket:
    options: ClientConfig = {
        "allow_http": address.endpoint.startswith("http://"),
        "connect_timeout": timedelta(seconds=min(5.0, address.timeout)),
        "timeout": timeout,
    }
    if read_timeout is not None:
        options["read_timeout"] = read_timeout
    if authorities:
        options["root_certificate"] = authorities
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


def _is_refusal(error: Exception) -> bool:
    """Returns whether a request is refused for good, by the text that obstore gives.

    Listing raises the exception of no special kind for it.
    """
    return any(sign in str(error) for sign in _REFUSALS)


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0][:300]
