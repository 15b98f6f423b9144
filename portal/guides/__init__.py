"""The public guides: written guides, video guides, search, PDF and feedback."""

from __future__ import annotations
