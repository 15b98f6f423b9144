"""Pop3 is in charge of letting mail clients download a mailbox."""

from __future__ import annotations
