"""What packages above this one do after a restore."""

from __future__ import annotations

from django.dispatch import Signal

# Sent in the transaction that prepares a restored database, before any process serves it.
# `taken_at` is the moment that the backup shows.
restored = Signal()
