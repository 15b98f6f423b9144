"""Notifies people of mail that waits: of arrivals at home, of unopened group mailboxes."""

from __future__ import annotations
