"""Proofs of where a message comes from, beside DKIM: SPF, DMARC and ARC.

They decide nothing. `engine.smtp` looks names up for them, records what they found, and
acts on it as the connection says.
"""

from __future__ import annotations
