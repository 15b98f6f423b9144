"""Console pages about mail: the queue, message trace, quarantine, rates and the outbox."""

from __future__ import annotations
