"""Sets up approved organisations step by step, and bootstraps a new community."""

from __future__ import annotations
