"""The exception with which the registry's rules refuse a change."""

from __future__ import annotations


class PolicyError(Exception):
    """A rule forbids what was asked. The message is shown to the person who asked."""
