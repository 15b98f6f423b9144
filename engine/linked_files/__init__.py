"""Files too large for a message: scanned, stored, and sent to its recipients as links."""

from __future__ import annotations
