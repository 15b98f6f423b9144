"""The domains of public email providers."""

from __future__ import annotations

# An address in one of these says nothing about the organisation of its owner.
SHARED_DOMAINS = frozenset(
    {
        "aol.com",
        "btinternet.com",
        "gmail.com",
        "googlemail.com",
        "hotmail.co.uk",
        "hotmail.com",
        "icloud.com",
        "live.co.uk",
        "live.com",
        "me.com",
        "outlook.com",
        "proton.me",
        "protonmail.com",
        "yahoo.co.uk",
        "yahoo.com",
    }
)
