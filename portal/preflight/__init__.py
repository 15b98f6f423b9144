"""Checks that this host can serve before anything is started: `postern check`."""

from __future__ import annotations
