"""Searches the trace of one organisation, page by page.

Nothing shows the content of a message.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.registry.models import Organisation
from engine.routing import routes
from portal.organisation.mail import trace_mail, trace_refusals
from portal.organisation.mail.trace_line import Line
from portal.organisation.mail.trace_mail import Found
from portal.organisation.mail.trace_query import PER_PAGE, Place, Query, Shown


@dataclass(frozen=True, slots=True)
class Page:
    """The lines of a page, the newest first, and where the next one begins, if anywhere."""

    lines: list[Line]
    next: Place | None


def find(
    organisation: Organisation,
    query: Query,
    after: Place = Place(),  # noqa: B008
) -> Page:
    """Returns the page of the organisation's messages and refusals after a place."""
    mail: list[Line] = []
    found = Found([], is_more=False)
    if query.shown != Shown.REFUSED:
        mail, found = trace_mail.find(
            organisation, query, routes.current(), after.message
        )
    refused = trace_refusals.find(organisation, query, after.refusal)
    lines = sorted([*mail, *refused.lines], key=lambda line: line.at, reverse=True)
    shown, rest = lines[:PER_PAGE], lines[PER_PAGE:]
    is_more = len(lines) > PER_PAGE or found.is_more or refused.is_more
    message = _next([line for line in rest if not line.is_refused], found.lowest)
    refusal = _next([line for line in rest if line.is_refused], refused.lowest)
    following = Place(
        after.message if message is None else message,
        after.refusal if refusal is None else refusal,
    )
    return Page(shown, following if is_more else None)


def _next(rest: list[Line], lowest: int | None) -> int | None:
    """Returns the id that the next page begins before; None where nothing was read.

    `rest` are the lines that this page has no room for, and `lowest` is the last id that
    lines were made from.
    """
    return max(line.last_id for line in rest) + 1 if rest else lowest
