from __future__ import annotations


class PolicyError(Exception):
    """A rule says no. The message is the sentence that the user reads."""
