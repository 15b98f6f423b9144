"""The community's signing keys, and signatures over canonical JSON."""

from __future__ import annotations
