"""What is kept: the bytes of each message once, and the mailboxes' folders that show it."""

from __future__ import annotations
