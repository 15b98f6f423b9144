"""Executes a request once for each Idempotency-Key, and replays its response.

A client that receives no response cannot know whether its request was executed. It
repeats the request with the same key, and gets the response to the first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.http import QueryDict
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.auth.caller import caller_of
from api.framework.problems import IdempotencyKeyReused, RequestInProgress
from api.models import IdempotentResponse
from engine.database import clock
from engine.secrets import secret_keys

HEADER = "Idempotency-Key"
RETENTION = timedelta(hours=24)
# A request in progress for longer has died with its process: its key is free again.
ABANDONED_AFTER = timedelta(minutes=5)
MAX_KEY_LENGTH = 255
PURPOSE = "api idempotent responses"

V = TypeVar("V", bound=APIView)
Handler = Callable[..., Response]


@dataclass(slots=True)
class Claim:
    """The right to execute a request. `replay` is set where it was executed before."""

    key: str = ""
    row: IdempotentResponse | None = None
    replay: Response | None = None

    def store(self, response: Response) -> None:
        """Stores the response, in the transaction that executes the request."""
        if self.row is not None:
            _store(self.row, response)


@contextmanager
def claim(request: Request) -> Iterator[Claim]:
    """Claims the request's Idempotency-Key for a handler with steps outside a transaction.

    The claim is given up where the handler raises, so that a corrected request may use
    the same key. Raises RequestInProgress while
    another process executes it, and IdempotencyKeyReused for another request's key.
    """
    key = request.headers.get(HEADER, "")
    if not key:
        yield Claim()
        return
    if len(key) > MAX_KEY_LENGTH or not key.isprintable():
        raise ValidationError({HEADER: ["At most 255 printable characters."]})
    row, is_ours = _claim_row(request, key)
    if not is_ours:
        yield Claim(key, replay=_replay(row))
        return
    try:
        yield Claim(key, row)
    except BaseException:
        row.delete()
        raise


def idempotent(handler: Handler) -> Handler:
    """Decorates a handler to execute once for each Idempotency-Key of a caller.

    Its changes and the stored response are one transaction: a response that is lost with
    the process is lost together with everything that was changed.
    """

    @wraps(handler)
    def once(view: APIView, request: Request, *args: Any, **kwargs: Any) -> Response:
        with claim(request) as claimed:
            if claimed.replay is not None:
                return claimed.replay
            with transaction.atomic():
                response = handler(view, request, *args, **kwargs)
                claimed.store(response)
            return response

    return accepts_idempotency_key(once)


def accepts_idempotency_key(handler: Handler) -> Handler:
    """Marks a handler, so that the OpenAPI document lists the header."""
    handler.takes_idempotency_key = True  # type: ignore[attr-defined]
    return handler


def _claim_row(request: Request, name: str) -> tuple[IdempotentResponse, bool]:
    """Returns the row of this key, and whether this request created it."""
    key = caller_of(request).key
    digest = _digest(request)
    now = clock.now()
    IdempotentResponse.objects.filter(created_at__lt=now - RETENTION, key=key).delete()
    IdempotentResponse.objects.filter(
        key=key,
        idempotency_key=name,
        status=None,
        created_at__lt=now - ABANDONED_AFTER,
    ).delete()
    try:
        # The unique constraint decides between two requests at the same moment.
        with transaction.atomic():
            made = IdempotentResponse.objects.create(
                key=key, idempotency_key=name, request_digest=digest
            )
    except IntegrityError:
        rows = IdempotentResponse.objects.filter(key=key, idempotency_key=name)
        found = rows.first()
        if found is None:  # The first failed between the two statements.
            raise RequestInProgress from None
        if found.request_digest != digest:
            raise IdempotencyKeyReused from None
        return found, False
    return made, True


def _replay(row: IdempotentResponse) -> Response:
    if row.status is None:
        raise RequestInProgress
    body = json.loads(_unsealed(row.body)) if row.body else None
    response = Response(body, status=row.status, headers=row.headers)
    response["Idempotent-Replayed"] = "true"
    return response


def _unsealed(body: str) -> str:
    # The version before stored plain JSON, for a day at most.
    return body if body[0] in '{["n' else secret_keys.unseal(PURPOSE, body)


def _store(row: IdempotentResponse, response: Response) -> None:
    row.status = response.status_code
    # Sealed, because the answer may hold a secret that is kept nowhere else.
    row.body = secret_keys.seal(PURPOSE, json.dumps(response.data, default=str))
    row.headers = {
        name: response[name]
        for name in ("Location", "ETag")
        if response.has_header(name)
    }
    row.save()


def _digest(request: Request) -> str:
    """Returns a digest of the request's meaning, not of its bytes.

    A client that repeats a multipart form chooses another boundary each time.
    """
    digest = hashlib.sha256()
    path, _, query = request.get_full_path().partition("?")
    where = f"{path.rstrip('/')}?{query}"
    for part in (request.method or "", where, *_content_of(request)):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()


def _content_of(request: Request) -> Iterator[str]:
    if not isinstance(request.data, QueryDict):
        yield json.dumps(request.data, sort_keys=True)
        return
    for name, values in sorted(request.data.lists()):
        for value in values:
            yield name
            yield _digest_file(value) if isinstance(value, UploadedFile) else value


def _digest_file(file: UploadedFile[Any]) -> str:
    """Returns name, type and digest of a file, and rewinds it for the handler."""
    content = hashlib.sha256()
    for chunk in file.chunks():
        content.update(chunk)
    file.seek(0)
    return f"{file.name}\0{file.content_type}\0{content.hexdigest()}"
