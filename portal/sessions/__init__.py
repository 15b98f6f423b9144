"""Browser sessions: storage, listing, known browsers, and limits on failed sign-ins."""

from __future__ import annotations
