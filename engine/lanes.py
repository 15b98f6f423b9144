"""The queues that background jobs wait in."""

from __future__ import annotations

from enum import StrEnum


# Do not move: django-q2 pickles the lane into each waiting job under this module's name,
# and an upgraded worker must still read the jobs of the version before.
class Lane(StrEnum):
    """A queue of jobs, with a process of its own on every worker host.

    Jobs in one lane never wait for jobs in another. The value is the name of django-q2's
    queue; jobs that name no queue go to the first.
    """

    QUICK = "postern"  # seconds at most: letters, notices, mail to the helpdesk
    WEBHOOKS = "webhooks"
    CALLS = "calls"  # contacts members' servers and name servers, which may not answer
    LONG = "long"  # imports, copies and searches, in batches
