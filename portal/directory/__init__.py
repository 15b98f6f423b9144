"""Directory: searches the community, with a page for each result."""

from __future__ import annotations
