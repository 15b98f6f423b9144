"""Serves the site over HTTP, so that slow or greedy clients hold nobody else up."""

from __future__ import annotations
