"""Writing down that somebody is owed a notice."""

from __future__ import annotations

from engine import clock
from onboarding.models import Notice, NoticeKind
from onboarding.notices import tasks


def promise(kind: NoticeKind, *, to: str, about: int = 0) -> None:
    """Owe somebody a notice, and have a worker send it.

    Inside a transaction both are kept or lost with it. `about` is the id of the row
    that the notice speaks of; NoticeKind and emails say which.
    """
    Notice.objects.create(
        kind=kind, address=to, about=about, next_attempt_at=clock.now()
    )
    tasks.start()
