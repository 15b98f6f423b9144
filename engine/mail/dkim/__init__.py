"""Dkim is in charge of what a signature proves about who sent a message."""

from __future__ import annotations
