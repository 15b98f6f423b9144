"""Setup is in charge of telling mail servers and cloud providers what to do, ready to paste."""

from __future__ import annotations
