"""Words that were posted after the session had lapsed: kept until the writer signs in.

They wait in the session that the browser has by then, which is nobody's yet, and are
given out only on the page of the same draft, to somebody who may open that page.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase

from engine.registry.access import GuardedView

RESTORED = "You were signed out while you wrote. Nothing is lost: your words are below."
KEY = "unsaved_words"

# Characters: a long letter, but no store for strangers.
LIMIT = 100_000

_NOT_WORDS = ("csrfmiddlewaretoken", "do", "confirmed")


def keep(view: GuardedView) -> GuardedView:
    """Put by what somebody posts who is signed in no more; the view then sends them to."""

    @wraps(cast(Callable[..., HttpResponseBase], view))
    def keeping(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "POST" and not request.user.is_authenticated:
            _put(request)
        return view(request, *args, **kwargs)

    return cast(GuardedView, keeping)


def take(request: HttpRequest) -> QueryDict | None:
    """The words that wait for this page, once."""
    waiting = request.session.get(KEY)
    if not isinstance(waiting, list) or waiting[:1] != [request.path]:
        return None
    del request.session[KEY]
    return QueryDict(waiting[1])


def _put(request: HttpRequest) -> None:
    words = request.POST.copy()
    for name in _NOT_WORDS:
        words.pop(name, None)
    encoded = words.urlencode()
    if len(encoded) <= LIMIT:
        request.session[KEY] = [request.path, encoded]
