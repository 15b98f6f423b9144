"""Runs the service for minutes or hours, breaks every part of it, and counts the mail.

`python -m tests.soak --minutes N` starts two hosts on one PostgreSQL with Redis, ClamAV and
a member's Postfix, sends mail both ways and by webmail, and meanwhile breaks one thing
after another. At the end it compares what was acknowledged with what arrived.
"""

from __future__ import annotations
