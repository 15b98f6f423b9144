"""The standing examination: what an attacker would try first, over everything there is."""

from __future__ import annotations
