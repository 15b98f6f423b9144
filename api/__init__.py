"""The REST API by which other systems send mail, read mailboxes and manage members."""

from __future__ import annotations
