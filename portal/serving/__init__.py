"""Serves the site over HTTP without letting slow or greedy clients delay others."""

from __future__ import annotations
