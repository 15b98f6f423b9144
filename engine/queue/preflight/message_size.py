"""The true limit of what one message carries: as a message, and as files in it."""

from __future__ import annotations

from django.conf import settings

# base64 makes a file a third larger, and its line ends a little more (RFC 2045 §6.8).
ENCODED_SHARE = 0.73


def message_limit() -> int:
    """Returns how many octets a message has at most, as it travels."""
    return int(settings.POSTERN.message_size_limit)


def files_limit() -> int:
    """Returns how many octets of files fit into one message."""
    return int(message_limit() * ENCODED_SHARE)
