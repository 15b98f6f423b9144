"""Messages in the API: sending, searching, reading and changing them, and their traces."""

from __future__ import annotations
