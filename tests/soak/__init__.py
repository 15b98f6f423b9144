"""Runs the service under load, breaks each part of it in turn, and counts the mail.

`python -m tests.soak --minutes N` starts two hosts that share PostgreSQL, Redis, ClamAV
and a disk, and a member's Postfix. It sends mail both ways and from webmail while it
causes one fault after another, and finally compares what was acknowledged with what
arrived.
"""

from __future__ import annotations
