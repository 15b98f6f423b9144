"""Members is in charge of what staff see and change of organisations and their people."""

from __future__ import annotations
