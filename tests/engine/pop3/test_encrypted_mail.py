"""POP3 serves mail that is stored encrypted as it serves other mail."""

from __future__ import annotations

import asyncio
import poplib
from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from engine.registry.models import Person
from engine.storage.models import Content
from tests import encryption
from tests.engine.pop3 import sample_messages
from tests.engine.pop3.conftest import SECRET, Server

SMALL = sample_messages.HEADER + sample_messages.BODY
LARGE = sample_messages.HEADER + b"A line of the bundle\r\n" * 10_000


@pytest.fixture(autouse=True)
def encrypted(settings: Settings) -> Iterator[None]:
    yield from encryption.switched_on(settings)


async def test_poplib_gets_what_was_delivered(server: Server, reader: Person) -> None:
    for raw in (SMALL, LARGE, SMALL):
        await asyncio.to_thread(sample_messages.deliver, reader.mailbox, raw)

    def download() -> tuple[list[bytes], bytes]:
        last = Content.objects.order_by("pk").last()
        assert last is not None and last.format == Content.ENCRYPTED
        body = bytearray(last.body or b"")
        body[-1] ^= 1
        Content.objects.filter(pk=last.pk).update(body=bytes(body))
        client = poplib.POP3_SSL("localhost", server.pop3s, context=server.context)
        client.user(reader.address)
        client.pass_(SECRET)
        taken = [client.retr(number)[1] for number in (1, 2)]
        with pytest.raises(poplib.error_proto) as refused:
            client.retr(3)
        client.quit()
        whole = [b"".join(line + b"\r\n" for line in lines) for lines in taken]
        return whole, refused.value.args[0]

    whole, refused = await asyncio.to_thread(download)

    assert whole == [sample_messages.RETURN_PATH + raw for raw in (SMALL, LARGE)]
    assert b"[SYS/PERM]" in refused
