"""Storage is in charge of what is kept: the bytes of each message once, and the folders that it stands in."""

from __future__ import annotations
