"""Signs the head of the audit chain, sends it out of reach, and verifies the chain by it."""

from __future__ import annotations
