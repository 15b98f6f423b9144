"""Mail that received mail triggers: list expansion, forwards and out-of-office replies."""

from __future__ import annotations
