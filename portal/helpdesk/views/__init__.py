"""Views is in charge of what requesters see: their own tickets and nobody else's."""

from __future__ import annotations
