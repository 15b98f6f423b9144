"""Decides where mail goes: what an address means, who may send as whom and post where."""

from __future__ import annotations
