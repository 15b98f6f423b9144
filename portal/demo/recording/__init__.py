"""Records the guides' pictures and videos in a demo community."""

from __future__ import annotations
