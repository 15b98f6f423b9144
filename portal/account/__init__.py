"""Account is in charge of signing in, the second factor and what a person sets for themselves."""

from __future__ import annotations
