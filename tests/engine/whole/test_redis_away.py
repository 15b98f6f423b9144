"""Mail is received and sent while the shared cache is unavailable."""

from __future__ import annotations

import poplib
import smtplib
import ssl
from collections.abc import Callable, Iterator

import pytest

from engine.registry.models import Mailbox, Person
from engine.storage.models import Message
from portal.demo.certificates import Authority
from tests.engine.whole.conftest import SECRET
from tests.peers.engine import Engine
from tests.peers.redis import Redis

LETTER = "From: {0}\r\nTo: {0}\r\nSubject: Bundle\r\n\r\nHello\r\n"


@pytest.fixture
def redis() -> Iterator[Redis]:
    with Redis() as running:
        yield running


@pytest.fixture
def engine_with_redis(
    transactional_db: None, authority: Authority, redis: Redis
) -> Iterator[Engine]:
    with Engine(authority, POSTERN_CLAMD="off", POSTERN_REDIS_URL=redis.url) as engine:
        yield engine


@pytest.mark.slow
@pytest.mark.any_database
def test_mail_and_pop3_go_on_without_redis(
    redis: Redis,
    bob: Person,
    authority: Authority,
    bobs_client: Callable[[Engine], smtplib.SMTP],
    engine_with_redis: Engine,
) -> None:
    context = ssl.create_default_context(cafile=str(authority.ca_file))

    def open_maildrop() -> poplib.POP3:
        port = engine_with_redis.ports["pop3s"]
        client = poplib.POP3_SSL("localhost", port, context=context, timeout=60)
        try:
            client.user(bob.address)
            client.pass_(SECRET)
        except poplib.error_proto:
            client.close()
            raise
        return client

    before = open_maildrop()
    redis.stop()

    with bobs_client(engine_with_redis) as client:
        client.sendmail(bob.address, [bob.address], LETTER.format(bob.address))
    with pytest.raises(poplib.error_proto, match=r"\[IN-USE\]"):
        open_maildrop()
    before.quit()
    after = open_maildrop()
    assert after.stat()[0] == 1
    after.dele(1)
    after.quit()

    assert not Message.objects.filter(mailbox=Mailbox.objects.get(owner=bob)).exists()
