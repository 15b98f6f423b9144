"""What readers of archives raise where they cannot list what is inside."""

from __future__ import annotations


class UnlistedError(Exception):
    """An archive whose list of files is encrypted, broken or in an unknown form."""
