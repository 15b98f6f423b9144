"""Keeps open pages of webmail current: an event stream, and fragments to merge.

The README of webmail says how a page takes part.
"""

from __future__ import annotations
