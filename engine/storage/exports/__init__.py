"""Exports mailboxes for their holders: a ZIP of mbox files, written in slices."""

from __future__ import annotations
