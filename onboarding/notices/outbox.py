"""Adds notices to the outbox."""

from __future__ import annotations

from engine.database import clock
from onboarding.models import Notice, NoticeKind
from onboarding.notices import tasks


def add(kind: NoticeKind, *, to: str, about: int = 0) -> None:
    """Stores a notice to the address `to` and queues the job that sends it.

    Call it in the transaction of the action that causes the notice, so that both commit
    or neither does. `about` is the id of the row that the notice is about; each writer in
    notices.emails says of which model.
    """
    Notice.objects.create(
        kind=kind, address=to, about=about, next_attempt_at=clock.now()
    )
    tasks.start()
