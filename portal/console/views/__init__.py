"""The console's own pages, one subject a file."""

from __future__ import annotations
