"""Why something that is stored encrypted cannot be read, or cannot be read now."""

from __future__ import annotations

from engine.database.transient_errors import StorageUnavailableError


class UnreadableError(Exception):
    """The stored bytes cannot be read, and trying again does not help."""


class TamperedError(UnreadableError):
    """The stored bytes are not those that were encrypted: changed, cut or exchanged."""


class NoKeyError(UnreadableError):
    """The organisation has no key to these bytes, or its key was destroyed."""


class MasterKeyUnavailableError(StorageUnavailableError):
    """The master key cannot be used at the moment; trying again later may help."""
