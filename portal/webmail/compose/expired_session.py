"""Words that were posted after the session had lapsed: kept until the writer signs in.

They wait in the session that the browser has by then, which is nobody's yet, and are
given out only on the page of the same draft, to somebody who may open that page. Files
do not wait with them: the writer is told which to attach again. With JavaScript each
file is attached as it is chosen, and what was attached stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast

from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase

from engine.registry.permissions.view_guards import GuardedView

RESTORED = "You were signed out while you wrote. Nothing is lost: your words are below."
WITHOUT_FILES = (
    "You were signed out while you wrote. Your words are below, but not your files. "
    "Add these again: {}."
)
KEY = "unsaved_words"

# Characters: a long letter, but no store for strangers.
LIMIT = 100_000

# Characters of the files' names that are told.
NAMES_LIMIT = 500

_NOT_WORDS = ("csrfmiddlewaretoken", "do", "confirmed")


@dataclass(frozen=True, slots=True)
class Unsaved:
    """What was posted: the words, and what the files were called that came with them."""

    words: QueryDict
    file_names: str

    @property
    def notice(self) -> str:
        """What the writer is told about it."""
        return WITHOUT_FILES.format(self.file_names) if self.file_names else RESTORED


def keep(view: GuardedView) -> GuardedView:
    """Put by what somebody posts who is signed in no more; the view then sends them to."""

    @wraps(cast(Callable[..., HttpResponseBase], view))
    def keeping(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "POST" and not request.user.is_authenticated:
            _put(request)
        return view(request, *args, **kwargs)

    return cast(GuardedView, keeping)


def take(request: HttpRequest) -> Unsaved | None:
    """What waits for this page, once."""
    waiting = request.session.get(KEY)
    if not isinstance(waiting, list) or waiting[:1] != [request.path]:
        return None
    del request.session[KEY]
    return Unsaved(QueryDict(waiting[1]), waiting[2])


def _put(request: HttpRequest) -> None:
    words = request.POST.copy()
    for name in _NOT_WORDS:
        words.pop(name, None)
    encoded = words.urlencode()
    if len(encoded) <= LIMIT:
        names = ", ".join(
            file.name or "" for file in request.FILES.getlist("attachments")
        )
        request.session[KEY] = [request.path, encoded, names[:NAMES_LIMIT]]
