"""Keeps what only the service's own user may read: secret keys, state folder, TLS key."""

from __future__ import annotations
