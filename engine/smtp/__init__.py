"""The SMTP servers: receiving from organisations' servers, submission from people."""

from __future__ import annotations
