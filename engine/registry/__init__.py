"""Registry is in charge of who exists: organisations, domains, connections, people, mailboxes, and what each may do."""

from __future__ import annotations
