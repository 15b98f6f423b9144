"""Security tests of the whole product: what an attacker would try first."""

from __future__ import annotations
