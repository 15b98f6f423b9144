"""Keeps text that was posted after the session expired until the writer signs in again.

The text waits in the browser's new anonymous session. It is restored only on the page
of the same draft, which only its owner may open. Files do not wait: the notice names
those to attach again. With JavaScript each file is attached when it is chosen, and what
was attached is safe.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast

from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase

from engine.registry.permissions.view_guards import GuardedView

RESTORED = "You were signed out while you wrote. Nothing is lost: your text is below."
WITHOUT_FILES = (
    "You were signed out while you wrote. Your text is below, but not your files. "
    "Add these again: {}."
)
KEY = "unsaved_words"

# Characters of posted fields: sessions of anonymous users must not become storage.
LIMIT = 100_000

# Characters of file names shown in the notice.
NAMES_LIMIT = 500

_NOT_TEXT = ("csrfmiddlewaretoken", "do", "confirmed")


@dataclass(frozen=True, slots=True)
class PostedText:
    """What was posted: the form fields, and the names of the files that came with them."""

    text: QueryDict
    file_names: str

    @property
    def notice(self) -> str:
        """The notice shown when the text is restored."""
        return WITHOUT_FILES.format(self.file_names) if self.file_names else RESTORED


def keep_posted_text(view: GuardedView) -> GuardedView:
    """Decorates a view: keeps what an anonymous user posts, before it redirects."""

    @wraps(cast(Callable[..., HttpResponseBase], view))
    def keep_and_view(
        request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        if request.method == "POST" and not request.user.is_authenticated:
            _put(request)
        return view(request, *args, **kwargs)

    return cast(GuardedView, keep_and_view)


def take_posted_text(request: HttpRequest) -> PostedText | None:
    """Returns, once, the text that waits for this page."""
    waiting = request.session.get(KEY)
    if not isinstance(waiting, list) or waiting[:1] != [request.path]:
        return None
    del request.session[KEY]
    return PostedText(QueryDict(waiting[1]), waiting[2])


def _put(request: HttpRequest) -> None:
    text = request.POST.copy()
    for name in _NOT_TEXT:
        text.pop(name, None)
    encoded = text.urlencode()
    if len(encoded) <= LIMIT:
        names = ", ".join(
            file.name or "" for file in request.FILES.getlist("attachments")
        )
        request.session[KEY] = [request.path, encoded, names[:NAMES_LIMIT]]
