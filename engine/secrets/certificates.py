"""Loads our certificate, its key and the authorities we trust, and follows renewals."""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from cryptography import x509

log = logging.getLogger(__name__)

# Seconds for which the files must have rested: programs that renew certificates write
# key, certificate and chain one after another, and not all of them atomically.
SETTLED = 1.0
# Seconds between two warnings about the same unusable files.
WARN_EVERY = 3600.0

BEGIN, END = b"-----BEGIN ", b"-----END "
# For a key that is encrypted: without an answer OpenSSL would ask on the terminal.
NO_PASSPHRASE = ""

Version: TypeAlias = tuple[tuple[int, int, int], ...]


class CertificateError(Exception):
    """The files cannot be served. The message says which one, why and what to do."""


@dataclass(frozen=True, slots=True)
class Files:
    """Paths of PEM files; an empty path stands for none."""

    cert: str
    key: str
    ca: str

    def version(self) -> Version:
        """Changes with any of the files, through links too. Raises CertificateError."""
        return tuple(map(_version, filter(None, (self.cert, self.key, self.ca))))

    def check_dates(self) -> None:
        """Raises CertificateError where the certificate is not valid now."""
        if self.cert:
            _check_dates(_certificates(self.cert)[0], self.cert)

    def is_for(self, name: str) -> bool:
        """Whether the certificate carries the host's name, or a wildcard that covers it
        (RFC 9525 §6.3: one whole label). Raises CertificateError.
        """
        try:
            names = _certificates(self.cert)[0].extensions.get_extension_for_class(
                x509.SubjectAlternativeName
            )
        except x509.ExtensionNotFound:
            return False
        wanted = name.casefold().rstrip(".")
        known = {
            one.casefold() for one in names.value.get_values_for_type(x509.DNSName)
        }
        return wanted in known or f"*.{wanted.partition('.')[2]}" in known

    def load_into(self, context: ssl.SSLContext) -> None:
        """Load what is whole and matches. Raises CertificateError, OSError, ValueError.

        A context that failed half way must not be used.
        """
        if self.cert:
            _certificates(self.cert)
            self._load_pair(context)
        if self.ca:
            _certificates(self.ca)
            context.load_verify_locations(self.ca)

    def _load_pair(self, context: ssl.SSLContext) -> None:
        if self.key:
            _whole(self.key)
        try:
            context.load_cert_chain(self.cert, self.key or None, NO_PASSPHRASE)
        except (OSError, ValueError) as error:
            raise CertificateError(
                f"The key in {self.key or self.cert} does not belong to the certificate "
                f"in {self.cert}, or cannot be read ({error}). Renew both together."
            ) from error


class Followed:
    """A context made from files, and made again when they change and are good.

    While they are not (half written, key and certificate of different renewals, expired)
    the last good context is served and the log warns. Threads may share it.

    To begin with, one out of its dates is better than none: peers that do not look at
    dates are served. Raises CertificateError where even that cannot be.
    """

    def __init__(self, files: Files, make: Callable[[Files], ssl.SSLContext]) -> None:
        self.files = files
        # Why what is in the files now is not served; empty when it is.
        self.fault = ""
        self._make = make
        self._lock = threading.Lock()
        self._version = files.version()
        self._seen: tuple[Version, float] = (self._version, 0.0)
        self._warned_at = 0.0
        self._context = self._made()
        try:
            files.check_dates()
        except CertificateError as error:
            log.warning("the certificate is served all the same: %s", error)

    @property
    def context(self) -> ssl.SSLContext:
        """The last good one."""
        return self._context

    def follow(self) -> ssl.SSLContext:
        """Look at the files, and return the context to serve from now on."""
        with self._lock:
            try:
                self._follow()
            except CertificateError as error:
                self._warn(str(error))
        return self._context

    def _follow(self) -> None:
        version = self.files.version()
        if version == self._version:
            self.fault = ""
            return
        if not self._has_settled(version):
            return
        self.files.check_dates()
        context = self._made()
        if self.files.version() != version:
            return  # renewed while it was read: the next look decides
        self._context, self._version, self.fault = context, version, ""
        log.info("the certificate in %s was renewed and is served", self.files.cert)

    def _made(self) -> ssl.SSLContext:
        try:
            return self._make(self.files)
        except (OSError, ValueError) as error:
            raise CertificateError(f"{self.files} cannot be used: {error}.") from error

    def _has_settled(self, version: Version) -> bool:
        """Whether nothing was written for SETTLED seconds, by their dates or by ours."""
        if self._seen[0] != version:
            self._seen = (version, time.monotonic())
        rested = time.time() - max(written for written, _, _ in version) / 1e9
        return rested >= SETTLED or time.monotonic() - self._seen[1] >= SETTLED

    def _warn(self, fault: str) -> None:
        now = time.monotonic()
        if fault != self.fault or now - self._warned_at >= WARN_EVERY:
            log.warning("the last good certificate is still served: %s", fault)
            self._warned_at = now
        self.fault = fault


def _version(path: str) -> tuple[int, int, int]:
    try:
        found = Path(path).stat()
    except OSError as error:
        raise CertificateError(f"{path} cannot be read: {error.strerror}.") from error
    return found.st_mtime_ns, found.st_size, found.st_ino


def _whole(path: str) -> bytes:
    """The file's PEM blocks, none of them cut off. Raises CertificateError."""
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise CertificateError(f"{path} cannot be read: {error.strerror}.") from error
    if BEGIN not in raw or raw.count(BEGIN) != raw.count(END):
        raise CertificateError(f"{path} is not a whole PEM file.")
    return raw


def _certificates(path: str) -> list[x509.Certificate]:
    """Those in a PEM file, at least one. Raises CertificateError."""
    raw = _whole(path)
    try:
        return x509.load_pem_x509_certificates(raw)
    except ValueError as error:
        raise CertificateError(f"{path} holds no certificate: {error}.") from error


def _check_dates(certificate: x509.Certificate, path: str) -> None:
    now = datetime.now(UTC)
    if now < certificate.not_valid_before_utc:
        raise CertificateError(
            f"The certificate in {path} is not valid before "
            f"{certificate.not_valid_before_utc:%d %B %Y %H:%M} UTC. Check the clock."
        )
    if now > certificate.not_valid_after_utc:
        raise CertificateError(
            f"The certificate in {path} ended on "
            f"{certificate.not_valid_after_utc:%d %B %Y}. Renew it."
        )
