"""The message trace: what happened to each recipient of each message."""

from __future__ import annotations
