"""Requests and responses as browsers and programs send and read them."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import pytest
from django.conf import settings
from pytest_django.fixtures import Settings

from engine.health import readiness
from engine.registry.credentials import generated_secrets
from engine.registry.models import ApiKey, Organisation
from portal.middleware.body_limit import STRANGERS
from portal.serving import request_body, server
from portal.serving.connection import Connection
from tests.portal.serving import pages
from tests.portal.serving.conftest import PATIENCE, ServeSite, Web, head

CLOSE = "Connection: close"
FORM = "Content-Type: application/x-www-form-urlencoded"


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def posted(path: str, body: bytes, *fields: str) -> bytes:
    length = f"Content-Length: {len(body)}"
    return head("POST", path, length, FORM, CLOSE, *fields) + b"\r\n" + body


async def test_a_page(web: Web) -> None:
    answer = await web.get("/page/", address="127.0.0.9")

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\npage for 127.0.0.9")
    assert b"server:" not in answer.lower()


async def test_pages_are_made_in_threads_that_live_on(web: Web) -> None:
    for _ in range(3):
        await web.get("/page/")

    assert len(set(pages.seen)) == 1
    assert pages.seen[0].startswith("page")


async def test_requests_on_one_connection(web: Web) -> None:
    ask = head("GET", "/page/") + b"\r\n"

    answer = await web.ask(ask * 3 + head("GET", "/page/", CLOSE) + b"\r\n")

    assert answer.count(b"HTTP/1.1 200 OK") == 4


async def test_no_part_of_an_answer_waits_for_the_client(
    serve: ServeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    accept = Connection.connection_made

    def note(connection: Connection, transport: asyncio.Transport) -> None:
        accept(connection, transport)
        own = transport.get_extra_info("socket")
        made.append(own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    monkeypatch.setattr(Connection, "connection_made", note)
    web = await serve()

    await web.get("/page/")

    assert made == [1]


async def test_a_form(web: Web) -> None:
    answer = await web.ask(posted("/form/", b"text=" + b"x" * 50_000))

    assert body_of(answer) == b"50000 letters"


async def test_a_client_that_asks_first_is_told_to_go_on(web: Web) -> None:
    reader, writer = await web.open()
    fields = ("Content-Length: 6", FORM, CLOSE, "Expect: 100-continue")
    writer.write(head("POST", "/form/", *fields) + b"\r\n")
    async with asyncio.timeout(PATIENCE):
        assert (await reader.readline()).startswith(b"HTTP/1.1 100 ")
        writer.write(b"text=x")
        answer = await reader.read()
    writer.close()

    assert answer.endswith(b"1 letters")


async def test_a_strangers_large_body_is_refused_unread(
    web: Web, db: None, settings: Settings
) -> None:
    settings.ROOT_URLCONF = "portal.urls"
    reader, writer = await web.open()
    length = f"Content-Length: {STRANGERS + 1}"
    writer.write(
        head("POST", "/apply/email/", length, FORM, "Expect: 100-continue") + b"\r\n"
    )
    async with asyncio.timeout(PATIENCE):
        line = await reader.readline()
    writer.close()

    assert line.startswith(b"HTTP/1.1 413 ")


async def test_a_stranger_who_sends_a_large_body_hears_why_not(
    web: Web, db: None, settings: Settings
) -> None:
    settings.ROOT_URLCONF = "portal.urls"

    answer = await web.ask(posted("/apply/email/", b"x" * 1_000_000))

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"That is too large" in answer


@pytest.mark.parametrize(
    ("key", "read"), [("known", b"200000 octets"), ("unknown", b"0 octets")]
)
async def test_only_a_program_that_is_known_sends_much(
    web: Web, transactional_db: None, northfield: Organisation, key: str, read: bytes
) -> None:
    secret = "k" * 40
    await asyncio.to_thread(make_key, northfield, secret)
    bearer = f"Authorization: Bearer {secret if key == 'known' else 'x' * 40}"

    answer = await web.ask(posted("/api/raw/", bytes(200_000), bearer))

    assert body_of(answer) == read


def make_key(organisation: Organisation, secret: str) -> None:
    ApiKey.objects.create(
        organisation=organisation,
        name="Case system",
        digest=generated_secrets.digest(secret),
        scopes=[],
    )


async def test_a_body_without_a_length_is_not_read(web: Web) -> None:
    chunked = "Transfer-Encoding: chunked"
    answer = await web.ask(
        head("POST", "/raw/", chunked, CLOSE) + b"\r\n5\r\nhello\r\n0\r\n\r\n"
    )

    assert body_of(answer) == b"0 octets"


async def test_head_has_no_body(web: Web) -> None:
    for path in ("/page/", "/file/", "/table/", "/events/"):
        answer = await web.ask(head("HEAD", path, CLOSE) + b"\r\n")

        assert answer.startswith(b"HTTP/1.1 200 "), path
        assert body_of(answer) == b"", path


async def test_a_file_and_a_table_come_whole(web: Web) -> None:
    for path in ("/file/", "/whole/"):
        assert body_of(await web.get(path)) == bytes(pages.LARGE)

    table = await web.get("/table/")

    assert table.count(b"x" * 1023 + b"\n") == pages.LARGE // 1024
    assert len(set(pages.seen)) == 1  # one thread's connection may hold the rows


async def test_an_event_stream_ends_with_its_client(web: Web) -> None:
    for path in ("/events/", "/events-too/"):
        reader, writer = await web.open()
        writer.write(head("GET", path) + b"\r\n")
        async with asyncio.timeout(PATIENCE):
            await reader.readuntil(b"data: here")
        writer.close()

    async with asyncio.timeout(PATIENCE):
        while pages.streams.count("ended") < 2:
            await asyncio.sleep(0.01)
    assert pages.streams.count("begun") == 2


async def test_a_fault_of_ours_is_a_page(web: Web, db: None) -> None:
    answer = await web.get("/broken/")

    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"ZeroDivisionError" not in answer


async def test_what_is_no_http_is_refused(web: Web) -> None:
    answer = await web.ask(b"EHLO mail.example\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_an_answer_under_way_is_finished_when_the_service_stops(
    serve: ServeSite,
) -> None:
    web = await serve()
    reader, writer = await web.open()
    writer.write(head("GET", "/file/", CLOSE) + b"\r\n")
    async with asyncio.timeout(PATIENCE):
        begun = await reader.readuntil(b"\r\n\r\n")
        web.stop.set()
        rest = await reader.read()
    writer.close()

    assert begun.startswith(b"HTTP/1.1 200 ")
    assert rest == bytes(pages.LARGE)


async def test_event_streams_end_when_the_service_stops(
    serve: ServeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.serving.server.GRACE_SECONDS", 1)
    web = await serve()
    reader, writer = await web.open()
    writer.write(head("GET", "/events/") + b"\r\n")
    async with asyncio.timeout(PATIENCE):
        await reader.readuntil(b"data: here")
        web.stop.set()
        with suppress(ConnectionError):
            await reader.read()
        await web.running
    writer.close()

    assert pages.streams == ["begun", "ended"]


def test_a_body_has_time_for_what_has_come() -> None:
    assert request_body.seconds_for(0) == request_body.PATIENCE
    assert request_body.seconds_for(62_500_000) >= 8 * 62_500_000 / 500_000
    assert request_body.seconds_for(10**12) == request_body.DEADLINE


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_whether_it_lives_is_answered_without_a_thread(
    web: Web, method: str
) -> None:
    """All threads may be waiting for a database that is away."""
    answer = await web.ask(head(method, "/health/live", CLOSE) + b"\r\n")

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body_of(answer) == (b'{"status": "live"}' if method == "GET" else b"")
    assert b"no-store" in answer
    assert pages.seen == []


async def test_a_process_that_stops_says_so_before_it_closes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(readiness, "_state", readiness._State())
    monkeypatch.setattr(settings.POSTERN, "web_drain_seconds", 3600)
    stop, closing = asyncio.Event(), asyncio.Event()
    draining = asyncio.create_task(server._drain(stop, closing))
    await asyncio.sleep(0)
    assert readiness._state.is_draining is False

    stop.set()
    for _ in range(5):
        await asyncio.sleep(0)

    assert readiness.check().parts == {"process": "stopping"}
    assert not closing.is_set()
    draining.cancel()
