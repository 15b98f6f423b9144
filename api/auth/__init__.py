"""Authenticates API requests: keys, OAuth 2 tokens, scopes and the rate limit."""

from __future__ import annotations
