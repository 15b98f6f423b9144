"""The ASGI application: bodies and responses on the event loop, pages in threads.

Django's own ASGI handler runs every synchronous middleware and view in a thread by itself,
and each request in new threads with new database connections. Ours calls the whole chain
once, in a thread that is reused, as under WSGI.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import IO, Any, cast

from django.conf import settings
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers import base
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.http import (
    FileResponse,
    HttpResponse,
    JsonResponse,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from engine.database import transient_errors
from engine.network.connection_limits import network_of
from portal.middleware import body_limit, client_address, service_unavailable
from portal.middleware.probe_hosts import LIVE
from portal.serving import request_body
from portal.serving.fair_threads import CrowdedError, FairThreads
from portal.serving.request_body import Message, Receive, TooSlowError

log = logging.getLogger(__name__)

Send = Callable[[Message], Awaitable[None]]
Scope = dict[str, Any]

CHUNK = 64 * 1024  # bytes of a file that are read and sent together
FILE_THREADS = 2
PLAIN = "text/plain; charset=utf-8"


class Site(ASGIHandler):
    """Answers HTTP requests.

    A response that is streamed by an asynchronous iterator holds no thread while it lasts.
    """

    def __init__(self, threads: int) -> None:
        base.BaseHandler.__init__(self)
        connection_created.connect(_limit_statements)
        self.load_middleware(is_async=False)
        self._pages = FairThreads(threads)
        # Reading files needs no database, and must not wait for a page's thread.
        self._files = ThreadPoolExecutor(FILE_THREADS, thread_name_prefix="file")
        self._are_streams_over = asyncio.Event()

    def end_streams(self) -> None:
        """Ends live pages, which have no end of their own, so that a stop waits for none."""
        self._are_streams_over.set()

    async def close(self) -> None:
        """Ends the threads, once they have finished their work."""
        connection_created.disconnect(_limit_statements)
        await self._pages.close()
        self._files.shutdown()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"The site serves HTTP only, not {scope['type']}.")
        if scope["path"] == LIVE:
            # Answered on the loop: threads that all wait for a database must not make this
            # process look dead.
            living = JsonResponse({"status": "live"})
            living["Cache-Control"] = "no-store"
            living["Content-Length"] = str(len(living.content))
            await self._send(living, scope, receive, send)
            return
        client = _client(scope)
        body: IO[bytes] | None = None
        try:
            if await self._is_to_be_read(scope, client):
                body = await request_body.read(receive)
            work = partial(self._answer, scope, body or request_body.empty())
            response = await self._pages.run(client, work)
        except RequestAborted:
            return
        except TooSlowError:
            response = _plain("The request arrived too slowly. Send it again.", 408)
        except OSError as error:
            if not transient_errors.is_disk_full(error):
                raise
            response = _no_room()
        except CrowdedError:
            response = _plain("Too many requests are waiting. Try again soon.", 503)
            response["Retry-After"] = "5"
        finally:
            if body is not None:
                body.close()
        if body is None and _has_body(scope):
            response["Connection"] = "close"
            send = partial(_send_and_let_finish, receive, send)
        await self._send(response, scope, receive, send)

    async def _is_to_be_read(self, scope: Scope, client: str) -> bool:
        """Returns whether the body is to be read.

        A body that is too large for the sender is not read, and the page then refuses the
        request. A body without a Content-Length is never read, as under WSGI.
        """
        length = _header(scope, b"content-length")
        if not length.isdecimal() or len(length) > 20 or not int(length):
            return False
        if int(length) <= body_limit.STRANGERS:
            return True
        return await self._pages.run(client, partial(self._may_send, scope))

    def _may_send(self, scope: Scope) -> bool:
        """Checks, in a thread, whether the sender may send a large body."""
        signals.request_started.send(sender=self.__class__, scope=scope)
        body = request_body.empty()
        try:
            request, _ = self.create_request(scope, body)
            return request is not None and body_limit.may_send(request)
        finally:
            body.close()
            signals.request_finished.send(sender=self.__class__)

    def _answer(self, scope: Scope, body: IO[bytes]) -> HttpResponseBase:
        """Makes the response, in a thread, and closes what is not needed to send it."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, refusal = self.create_request(scope, body)
        if request is None or refusal is not None:
            body.close()
            return cast(HttpResponse, refusal)
        response = self.get_response(request)
        if not response.streaming:
            response.close()
        return response

    async def _send(
        self, response: HttpResponseBase, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if not isinstance(response, StreamingHttpResponse):
            await self.send_response(response, send)
            return
        try:
            await self._stream(response, scope, receive, send)
        finally:
            # Shielded, so that files and database connections are released on shutdown.
            await asyncio.shield(self._pages.run(_client(scope), response.close))

    async def _stream(
        self,
        response: StreamingHttpResponse,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """Sends a response as it is made, until it ends or the client disconnects."""
        is_live = response.is_async
        if scope["method"] == "HEAD":
            response.streaming_content = ()
        elif not response.is_async:
            try:
                parts = await self._beside(response, _client(scope))
            except OSError as error:
                if not transient_errors.is_disk_full(error):
                    raise
                await self.send_response(_no_room(), send)
                return
            response.streaming_content = parts
        sending = asyncio.create_task(self.send_response(response, send))
        ends: list[asyncio.Task[Any]] = [asyncio.create_task(_wait_for_end(receive))]
        if is_live:
            ends.append(asyncio.create_task(self._are_streams_over.wait()))
        try:
            await asyncio.wait({sending, *ends}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            has_sent = sending.done()
            for task in (sending, *ends):
                task.cancel()
            await asyncio.gather(sending, *ends, return_exceptions=True)
        if has_sent:
            sending.result()
        elif is_live and self._are_streams_over.is_set():
            # Complete, so that the browser takes it for an end and connects again.
            await send({"type": "http.response.body", "body": b""})

    async def _beside(
        self, response: StreamingHttpResponse, client: str
    ) -> AsyncIterator[bytes]:
        """Returns the content of a synchronous iterator without holding a thread.

        A file is read as it is sent. Any other iterator, which may query the database, is
        run to its end and buffered on disk, so that a slow client holds no thread.
        """
        if getattr(response, "file_to_stream", None) is not None:
            cast(FileResponse, response).block_size = CHUNK
            return self._read(iter(response))
        file = await self._pages.run(client, partial(_spool, response))
        cast(Any, response)._resource_closers.append(file.close)
        return self._read(iter(partial(file.read, CHUNK), b""))

    async def _read(self, parts: Iterator[bytes]) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        following = partial(next, parts, b"")
        while part := await loop.run_in_executor(self._files, following):
            yield part


def _limit_statements(connection: BaseDatabaseWrapper, **_: object) -> None:
    """Sets a statement timeout, so that a slow query holds neither locks nor a thread.

    Applied to each new connection of this process without a timeout of its own: the
    health watch has one, and the operator's connection options may set one for all.
    """
    own = str(connection.settings_dict.get("OPTIONS", {}).get("options", ""))
    if connection.vendor == "postgresql" and "statement_timeout" not in own:
        milliseconds = settings.POSTERN.web_statement_seconds * 1_000
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = %s", [milliseconds])


def _spool(response: StreamingHttpResponse) -> IO[bytes]:
    room = settings.FILE_UPLOAD_MAX_MEMORY_SIZE
    file = tempfile.SpooledTemporaryFile(room)  # noqa: SIM115 - the answer closes it
    file.writelines(response)
    file.seek(0)
    return file


def _client(scope: Scope) -> str:
    """Returns the visitor's network, as our proxies report it: the unit of fairness."""
    address = (scope.get("client") or ("",))[0]
    said = {"HTTP_X_FORWARDED_FOR": _header(scope, b"x-forwarded-for")}
    return network_of(client_address.of({"REMOTE_ADDR": address, **said}))


def _has_body(scope: Scope) -> bool:
    said = _header(scope, b"content-length"), _header(scope, b"transfer-encoding")
    return said not in (("", ""), ("0", ""))


async def _send_and_let_finish(receive: Receive, send: Send, message: Message) -> None:
    """Sends part of a response, and lets the client finish its request before the end.

    Closing a connection while the client is still sending resets it, and the client may
    then never see the response.
    """
    if message["type"] == "http.response.body" and not message.get("more_body"):
        await send({**message, "more_body": True})
        await request_body.discard(receive)
        message = {"type": "http.response.body", "body": b"", "more_body": False}
    await send(message)


def _header(scope: Scope, name: bytes) -> str:
    found = (value for key, value in scope["headers"] if key == name)
    return b",".join(found).decode("latin-1")


def _no_room() -> HttpResponse:
    """Returns the error page for a full disk of temporary files."""
    log.error("The disk for temporary files is full: %s", tempfile.gettempdir())
    response = service_unavailable.page()
    response["Retry-After"] = str(transient_errors.RETRY_SECONDS)
    return response


def _plain(text: str, status: int) -> HttpResponse:
    return HttpResponse(text, status=status, content_type=PLAIN)


async def _wait_for_end(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
