"""The sandbox: what test keys send, with outcomes that are pretended and go nowhere."""

from __future__ import annotations
