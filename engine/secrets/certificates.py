"""Loads our certificate, its key and our trusted authorities, and reloads renewed ones."""

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

# How long files must be unchanged before they are loaded: programs that renew certificates
# write key, certificate and chain one after another, and not always atomically.
SETTLE_SECONDS = 1.0
# The time between two warnings about the same problem.
WARN_SECONDS = 3600.0

BEGIN, END = b"-----BEGIN ", b"-----END "
# For an encrypted key: without a passphrase OpenSSL would prompt on the terminal.
NO_PASSPHRASE = ""

# Modification time in nanoseconds, size and inode of each file.
Version: TypeAlias = tuple[tuple[int, int, int], ...]


class CertificateError(Exception):
    """The files cannot be used. The message names the file, the reason and what to do."""


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """The paths of PEM files; an empty path means none."""

    cert: str
    key: str
    ca: str

    def version(self) -> Version:
        """Returns what changes with any file, also through links. Raises CertificateError."""
        return tuple(map(_version, filter(None, (self.cert, self.key, self.ca))))

    def check_validity(self) -> None:
        """Raises CertificateError where the certificate is expired or not valid yet."""
        if self.cert:
            _check_period(_certificates(self.cert)[0], self.cert)

    def covers_host(self, name: str) -> bool:
        """Returns whether the certificate names the host, or has a matching wildcard.

        A wildcard stands for one whole label (RFC 9525 §6.3). Raises CertificateError.
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
        """Loads certificate, key and authorities into the context.

        Raises CertificateError, OSError or ValueError; the context is then partly loaded
        and must not be used.
        """
        if self.cert:
            _certificates(self.cert)
            self._load_pair(context)
        if self.ca:
            # Not parsed by cryptography (50.0.2), which warns of Debian's own authorities:
            # some have 0 as their serial number.
            _read_pem(self.ca)
            context.load_verify_locations(self.ca)

    def _load_pair(self, context: ssl.SSLContext) -> None:
        if self.key:
            _read_pem(self.key)
        try:
            context.load_cert_chain(self.cert, self.key or None, NO_PASSPHRASE)
        except (OSError, ValueError) as error:
            raise CertificateError(
                f"The key in {self.key or self.cert} does not belong to the certificate "
                f"in {self.cert}, or cannot be read ({error}). Renew both together."
            ) from error


class ReloadingContext:
    """A TLS context from files, which is replaced when they have been renewed.

    While the files are unusable (partly written, key and certificate of different
    renewals, expired) it keeps the last good context and logs a warning. Threads may
    share it.

    At the start an expired certificate is better than none, because clients that ignore
    the dates can still connect. Raises CertificateError where the files cannot be loaded.
    """

    def __init__(
        self,
        files: CertificateFiles,
        make: Callable[[CertificateFiles], ssl.SSLContext],
    ) -> None:
        self.files = files
        # Why the current files are not used; empty if they are.
        self.problem = ""
        self._make = make
        self._lock = threading.Lock()
        self._version = files.version()
        self._seen: tuple[Version, float] = (self._version, 0.0)
        self._warned_at = 0.0
        self._context = self._new_context()
        try:
            files.check_validity()
        except CertificateError as error:
            log.warning("the certificate is used in spite of a problem: %s", error)

    @property
    def context(self) -> ssl.SSLContext:
        """Returns the last good context."""
        return self._context

    def reload_if_changed(self) -> ssl.SSLContext:
        """Checks the files, and returns the context to use from now on. Never raises."""
        with self._lock:
            try:
                self._reload_if_changed()
            except CertificateError as error:
                self._warn(str(error))
        return self._context

    def _reload_if_changed(self) -> None:
        version = self.files.version()
        if version == self._version:
            self.problem = ""
            return
        if not self._has_settled(version):
            return
        self.files.check_validity()
        context = self._new_context()
        if self.files.version() != version:
            return  # renewed again while it was loaded: the next check decides
        self._context, self._version, self.problem = context, version, ""
        log.info("the certificate in %s was renewed and is served", self.files.cert)

    def _new_context(self) -> ssl.SSLContext:
        try:
            return self._make(self.files)
        except (OSError, ValueError) as error:
            raise CertificateError(f"{self.files} cannot be used: {error}.") from error

    def _has_settled(self, version: Version) -> bool:
        """Returns whether the files have been unchanged for SETTLE_SECONDS.

        By their modification times or since we first saw them: a copied file may carry a
        modification time in the future.
        """
        if self._seen[0] != version:
            self._seen = (version, time.monotonic())
        age = time.time() - max(written for written, _, _ in version) / 1e9
        return (
            age >= SETTLE_SECONDS or time.monotonic() - self._seen[1] >= SETTLE_SECONDS
        )

    def _warn(self, problem: str) -> None:
        now = time.monotonic()
        if problem != self.problem or now - self._warned_at >= WARN_SECONDS:
            log.warning("the last good certificate is still served: %s", problem)
            self._warned_at = now
        self.problem = problem


def _version(path: str) -> tuple[int, int, int]:
    try:
        found = Path(path).stat()
    except OSError as error:
        raise CertificateError(f"{path} cannot be read: {error.strerror}.") from error
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read_pem(path: str) -> bytes:
    """Reads a file of PEM blocks, none of them cut off. Raises CertificateError."""
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise CertificateError(f"{path} cannot be read: {error.strerror}.") from error
    if BEGIN not in raw or raw.count(BEGIN) != raw.count(END):
        raise CertificateError(f"{path} is not a complete PEM file.")
    return raw


def _certificates(path: str) -> list[x509.Certificate]:
    """Parses the certificates in a PEM file, at least one. Raises CertificateError."""
    raw = _read_pem(path)
    try:
        return x509.load_pem_x509_certificates(raw)
    except ValueError as error:
        raise CertificateError(
            f"{path} contains no usable certificate: {error}."
        ) from error


def _check_period(certificate: x509.Certificate, path: str) -> None:
    now = datetime.now(UTC)
    if now < certificate.not_valid_before_utc:
        raise CertificateError(
            f"The certificate in {path} is not valid before "
            f"{certificate.not_valid_before_utc:%d %B %Y %H:%M} UTC. Check the clock."
        )
    if now > certificate.not_valid_after_utc:
        raise CertificateError(
            f"The certificate in {path} expired on "
            f"{certificate.not_valid_after_utc:%d %B %Y %H:%M} UTC. Renew it."
        )
