"""Forms is in charge of what the pages ask, and what they refuse."""

from __future__ import annotations
