"""The registry in the API: organisations, people, mailboxes, lists and connections."""

from __future__ import annotations
