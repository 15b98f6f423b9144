"""A page of each kind that the server treats differently."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from io import BytesIO

from django.db import connections
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

LARGE = 8 * 1024 * 1024
EVENT = b"data: here\n\n"
# The names of threads that rendered pages, and the start and end of each stream.
seen: list[str] = []
streams: list[str] = []


def page(request: HttpRequest) -> HttpResponse:
    seen.append(threading.current_thread().name)
    return HttpResponse(f"page for {request.META['REMOTE_ADDR']}")


@csrf_exempt
def form(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{len(request.POST.get('text', ''))} letters")


@csrf_exempt
def raw(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{len(request.read())} octets")


def events(request: HttpRequest) -> StreamingHttpResponse:
    """Streams for as long as the client stays connected, as live pages do."""
    return StreamingHttpResponse(_events(), content_type="text/event-stream")


async def _events() -> AsyncIterator[bytes]:
    streams.append("begun")
    try:
        while True:
            yield EVENT
            await asyncio.sleep(0.2)
    finally:
        streams.append("ended")


async def events_too(request: HttpRequest) -> StreamingHttpResponse:
    """Streams likewise, from an asynchronous view."""
    return StreamingHttpResponse(_events(), content_type="text/event-stream")


def table(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_lines(), content_type="text/csv")


def _lines() -> Iterator[bytes]:
    seen.append(threading.current_thread().name)
    for _ in range(LARGE // 1024):
        yield b"x" * 1023 + b"\n"
    seen.append(threading.current_thread().name)


def file(request: HttpRequest) -> FileResponse:
    return FileResponse(BytesIO(bytes(LARGE)), filename="large.bin")


def whole(request: HttpRequest) -> HttpResponse:
    return HttpResponse(bytes(LARGE), content_type="application/octet-stream")


def broken(request: HttpRequest) -> HttpResponseBase:
    raise ZeroDivisionError


def slow(request: HttpRequest) -> HttpResponse:
    """Runs a very long query on the database that a test has opened beside its own."""
    with connections["other"].cursor() as cursor:
        cursor.execute("SELECT pg_sleep(600)")
    return HttpResponse("awake")


handler500 = "portal.middleware.service_unavailable.answer"

urlpatterns = [
    path("page/", page),
    path("form/", form),
    path("raw/", raw),
    path("api/raw/", raw),
    path("events/", events),
    path("events-too/", events_too),
    path("table/", table),
    path("file/", file),
    path("whole/", whole),
    path("broken/", broken),
    path("slow/", slow),
]
