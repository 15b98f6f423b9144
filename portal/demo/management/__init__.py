"""Commands that take the guides' pictures and videos."""

from __future__ import annotations
