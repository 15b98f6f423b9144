"""Views are the pages about organisations and people, one noun a file."""

from __future__ import annotations
