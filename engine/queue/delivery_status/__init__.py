"""What became of a sent message, for its author: from the queue, and later from the trace."""

from __future__ import annotations
