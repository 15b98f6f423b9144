"""Searches the guides: synonyms, and corrections of mistyped words."""

from __future__ import annotations
