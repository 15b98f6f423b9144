"""An organisation's group mailboxes, distribution lists, retention and message trace."""

from __future__ import annotations
