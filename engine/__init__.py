"""Engine is the mail system: it runs without the portal."""

from __future__ import annotations
