"""Pages on which administrators manage their own organisation."""

from __future__ import annotations
