from __future__ import annotations

import asyncio

import pytest

from engine.mail.address import Address
from engine.mail.envelope import Envelope
from engine.mail.message import split
from engine.queue.enqueue.accepted_message import AcceptedMessage
from engine.queue.enqueue.group_commit import GroupCommitter
from engine.queue.models import Source
from engine.storage import content
from tests.engine.queue.conftest import RAW


def incoming() -> AcceptedMessage:
    return AcceptedMessage(
        envelope=Envelope.simple(None, Address.parse("a@b.example")),
        destinations=("mailbox",),
        kept=content.keep(*split(RAW)),
        source=Source.SYSTEM,
    )


async def test_every_session_hears_when_nothing_can_be_committed_at_all() -> None:
    committer = GroupCommitter(on_queued=lambda: None)
    await committer.close()  # and with it the thread

    results = await asyncio.wait_for(
        asyncio.gather(
            *(committer.commit(incoming()) for _ in range(3)), return_exceptions=True
        ),
        10,
    )

    assert [type(result) for result in results] == [RuntimeError] * 3


async def test_the_next_message_is_tried_after_a_batch_that_failed() -> None:
    committer = GroupCommitter(on_queued=lambda: None)
    await committer.close()

    for _ in range(2):
        with pytest.raises(RuntimeError):
            await asyncio.wait_for(committer.commit(incoming()), 10)
