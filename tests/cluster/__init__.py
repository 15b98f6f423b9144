"""Runs several hosts behind a load balancer, breaks each of them, and counts the mail.

`python -m tests.cluster` makes network namespaces: two hosts with web, engine and worker,
others for PostgreSQL, its replica, Redis and S3, and one for HAProxy, a member's Postfix and all
clients. It shares messages and their count with `tests/soak`.
"""

from __future__ import annotations
