"""Film is in charge of the guides' pictures and videos, taken from a demo community."""

from __future__ import annotations
