"""Forms is in charge of what administrators type about people, mailboxes and lists."""

from __future__ import annotations
