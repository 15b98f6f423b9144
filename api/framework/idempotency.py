"""A request that is made twice is done once.

A client that hears no answer cannot know whether it was acted on. It asks again with
the same Idempotency-Key, and gets the answer that the first request got.
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

from api.auth.caller import caller
from api.framework.problems import Conflict
from api.models import KeptAnswer
from engine import clock

HEADER = "Idempotency-Key"
KEPT = timedelta(hours=24)
# A request that has been at work for longer than this has died with its process.
AT_WORK = timedelta(minutes=5)
LONGEST_KEY = 255
AT_WORK_YET = "The first request with this key is still at work."

V = TypeVar("V", bound=APIView)
Handler = Callable[..., Response]


@dataclass(slots=True)
class Turn:
    """The right to act on a request. `answer` is what was answered to it before."""

    name: str = ""
    kept: KeptAnswer | None = None
    answer: Response | None = None

    def keep(self, response: Response) -> None:
        """Keep the answer, in the transaction that does what was asked."""
        if self.kept is not None:
            _keep(self.kept, response)


@contextmanager
def turn(request: Request) -> Iterator[Turn]:
    """Take a turn, for a handler whose transaction is not all that it does."""
    name = request.headers.get(HEADER, "")
    if not name:
        yield Turn()
        return
    if len(name) > LONGEST_KEY or not name.isprintable():
        raise ValidationError({HEADER: ["At most 255 printable characters."]})
    kept, is_ours = _claim(request, name)
    if not is_ours:
        yield Turn(name, answer=_again(kept))
        return
    try:
        yield Turn(name, kept)
    except BaseException:
        kept.delete()
        raise


def idempotent(handler: Handler) -> Handler:
    """Let the handler act once for each Idempotency-Key of a caller.

    What the handler changes and the answer that is kept are one transaction: an answer
    that is lost with the process is lost with everything that was done.
    """

    @wraps(handler)
    def answered(
        view: APIView, request: Request, *args: Any, **kwargs: Any
    ) -> Response:
        with turn(request) as mine:
            if mine.answer is not None:
                return mine.answer
            with transaction.atomic():
                response = handler(view, request, *args, **kwargs)
                mine.keep(response)
            return response

    return takes_key(answered)


def takes_key(handler: Handler) -> Handler:
    """Have the document say that the operation takes an Idempotency-Key."""
    handler.takes_idempotency_key = True  # type: ignore[attr-defined]
    return handler


def _claim(request: Request, name: str) -> tuple[KeptAnswer, bool]:
    """The row of this key, and whether the request is the one to act."""
    key = caller(request).key
    digest = _digest(request)
    now = clock.now()
    KeptAnswer.objects.filter(created_at__lt=now - KEPT, key=key).delete()
    KeptAnswer.objects.filter(
        key=key, idempotency_key=name, status=None, created_at__lt=now - AT_WORK
    ).delete()
    try:
        with transaction.atomic():
            made = KeptAnswer.objects.create(
                key=key, idempotency_key=name, request_digest=digest
            )
    except IntegrityError:
        found = KeptAnswer.objects.filter(key=key, idempotency_key=name).first()
        if found is None:  # It failed between the two looks.
            raise Conflict(AT_WORK_YET) from None
        if found.request_digest != digest:
            raise Conflict(f"This {HEADER} was used for another request.") from None
        return found, False
    return made, True


def _again(kept: KeptAnswer) -> Response:
    if kept.status is None:
        raise Conflict(AT_WORK_YET)
    body = json.loads(kept.body) if kept.body else None
    response = Response(body, status=kept.status, headers=kept.headers)
    response["Idempotent-Replayed"] = "true"
    return response


def _keep(kept: KeptAnswer, response: Response) -> None:
    kept.status = response.status_code
    kept.body = json.dumps(response.data, default=str)
    kept.headers = {
        name: response[name]
        for name in ("Location", "ETag")
        if response.has_header(name)
    }
    kept.save()


def _digest(request: Request) -> str:
    """The same for the same request, however it was written down: the boundary between
    the parts of a form is another each time.
    """
    facts = hashlib.sha256()
    for part in (request.method or "", request.get_full_path(), *_said(request)):
        facts.update(part.encode() + b"\0")
    return facts.hexdigest()


def _said(request: Request) -> Iterator[str]:
    if not isinstance(request.data, QueryDict):
        yield json.dumps(request.data, sort_keys=True)
        return
    for name, values in sorted(request.data.lists()):
        for said in values:
            yield name
            yield _file(said) if isinstance(said, UploadedFile) else said


def _file(file: UploadedFile[Any]) -> str:
    """All that there is to a file; it is left as if nobody had read it."""
    content = hashlib.sha256()
    for chunk in file.chunks():
        content.update(chunk)
    file.seek(0)
    return f"{file.name}\0{file.content_type}\0{content.hexdigest()}"
