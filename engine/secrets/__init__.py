"""Keeps what only the service may read: the secret key, the state folder, the TLS key."""

from __future__ import annotations
