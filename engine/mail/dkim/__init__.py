"""DKIM (RFC 6376): verifies the signatures that show which domain sent a message."""

from __future__ import annotations
