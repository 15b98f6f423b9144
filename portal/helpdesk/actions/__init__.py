"""Actions is in charge of what may be done to a ticket."""

from __future__ import annotations
