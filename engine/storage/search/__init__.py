"""Search is in charge of finding messages by their words and by what is known of them."""

from __future__ import annotations
