"""The master key, which wraps organisations' keys: from a file, the environment or a KMS.

The current key wraps; the earlier ones, POSTERN_MASTER_KEY_FALLBACKS and
POSTERN_MASTER_KEY_FALLBACK_FILES, unwrap what they have wrapped until
`manage.py rotate_keys --master` has wrapped everything again.

A KMS is a command of the operator's, POSTERN_MASTER_KEY_COMMAND. It is run with the
argument `wrap` or `unwrap`, reads octets from standard input, and writes the result to
standard output. Which key of the KMS it uses is its own affair.
"""

from __future__ import annotations

import hashlib
import logging
import shlex
import subprocess
import time
from collections.abc import Iterator
from typing import Protocol

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from engine.encryption import wrapping
from engine.encryption.errors import MasterKeyUnavailableError, TamperedError
from engine.secrets.key_files import KEY_OCTETS, parse_key, read_key_file

log = logging.getLogger(__name__)

COMMAND_ID = "command"
# Seconds that the command may take, and that it is left alone after it failed:
# meanwhile each use gets the same answer immediately.
COMMAND_SECONDS = 10
PAUSE_SECONDS = 5


class MasterKey(Protocol):
    """A key that wraps organisations' keys."""

    @property
    def id(self) -> str:
        """What names the key in rows; says nothing of the key itself."""

    @property
    def is_local(self) -> bool:
        """Whether it works in this process, within microseconds."""

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """Wraps a key. Raises MasterKeyUnavailableError."""

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Unwraps a key. Raises MasterKeyUnavailableError and TamperedError."""


class LocalKey:
    """A master key that this process has in memory."""

    is_local = True

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @property
    def id(self) -> str:
        """64 bits of a digest."""
        return hashlib.sha256(b"postern master key\0" + self._secret).hexdigest()[:16]

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """Wraps a key."""
        return wrapping.wrap(self._secret, key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Unwraps a key. Raises TamperedError."""
        return wrapping.unwrap(self._secret, wrapped, context)


class CommandKey:
    """A master key in a KMS, which a command reaches."""

    is_local = False
    id = COMMAND_ID
    _silent_until = 0.0

    def __init__(self, command: str) -> None:
        self._command = shlex.split(command)

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """Wraps a key. Raises MasterKeyUnavailableError."""
        # The KMS knows no context, so that its digest travels with the key.
        return self._run("wrap", hashlib.sha256(context).digest() + key)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Unwraps a key. Raises MasterKeyUnavailableError and TamperedError."""
        plain = self._run("unwrap", wrapped)
        digest = hashlib.sha256(context).digest()
        if len(plain) != len(digest) + KEY_OCTETS or not plain.startswith(digest):
            raise TamperedError("A wrapped key was changed, or belongs to another row.")
        return plain[len(digest) :]

    def _run(self, verb: str, data: bytes) -> bytes:
        if time.monotonic() < CommandKey._silent_until:
            raise MasterKeyUnavailableError("The KMS command failed a moment ago.")
        try:
            done = subprocess.run(  # noqa: S603
                [*self._command, verb],
                input=data,
                capture_output=True,
                timeout=COMMAND_SECONDS,
                check=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            CommandKey._silent_until = time.monotonic() + PAUSE_SECONDS
            log.error("POSTERN_MASTER_KEY_COMMAND failed to %s a key: %s", verb, error)
            raise MasterKeyUnavailableError(
                "The master key cannot be used: POSTERN_MASTER_KEY_COMMAND failed."
            ) from error
        return done.stdout


def current() -> MasterKey:
    """Returns the key that wraps. Raises ImproperlyConfigured without a usable one."""
    for key in _configured():
        return key
    raise ImproperlyConfigured(
        "There is no master key. Set POSTERN_MASTER_KEY_FILE, POSTERN_MASTER_KEY or "
        "POSTERN_MASTER_KEY_COMMAND."
    )


def by_id(key_id: str) -> MasterKey:
    """Returns the configured key with this id. Raises MasterKeyUnavailableError."""
    for key in [*_configured(), *_earlier()]:
        if key.id == key_id:
            return key
    raise MasterKeyUnavailableError(
        f"Mail is encrypted under the master key {key_id}, which is not configured. Add "
        "it to POSTERN_MASTER_KEY_FALLBACKS or POSTERN_MASTER_KEY_FALLBACK_FILES."
    )


def known_ids() -> set[str]:
    """Returns the ids of all configured keys."""
    return {key.id for key in [*_configured(), *_earlier()]}


def _configured() -> Iterator[MasterKey]:
    ours = settings.POSTERN
    if ours.master_key_command:
        yield CommandKey(ours.master_key_command)
    if ours.master_key_file:
        yield LocalKey(read_key_file(ours.master_key_file))
    if ours.master_key:
        yield LocalKey(parse_key(ours.master_key))


def _earlier() -> Iterator[MasterKey]:
    for file in settings.POSTERN.master_key_fallback_files:
        yield LocalKey(read_key_file(file))
    for text in settings.POSTERN.master_key_fallbacks:
        yield LocalKey(parse_key(text))
