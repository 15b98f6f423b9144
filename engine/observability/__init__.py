"""Shows operators what happens to mail: metrics, and one log line for each event."""

from __future__ import annotations
