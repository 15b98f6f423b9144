"""The lanes that jobs wait in: each has a process of its own on every worker host."""

from __future__ import annotations

from enum import StrEnum


# django-q2 pickles the lane into each job that waits, by the name of this module: moved,
# the jobs of an earlier version could not be read.
class Lane(StrEnum):
    """A queue of jobs. What waits in one never waits for what runs in another.

    The value is the name of django-q2's queue: the first is that of jobs which name none.
    """

    QUICK = "postern"  # seconds at most: letters, notices, mail to the helpdesk
    WEBHOOKS = "webhooks"
    CALLS = "calls"  # dials members' servers and name servers, which may be silent
    LONG = "long"  # imports, copies and searches, in slices
