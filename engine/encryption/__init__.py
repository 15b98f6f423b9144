"""Encrypts stored mail: a key for each organisation, wrapped by the master key."""

from __future__ import annotations
