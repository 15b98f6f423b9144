"""Template tags of webmail's pages."""

from __future__ import annotations
