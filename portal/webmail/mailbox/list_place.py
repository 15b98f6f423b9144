"""The list from which a message was opened: the rows beside it, and the way back.

The list is a folder as the person lists it, or a page of search results. Its query
parameters travel with the link to the message.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from engine.storage.models import Message
from engine.storage.search.find import find
from engine.storage.search.query_parser import Query, QueryError, parse
from portal.webmail.access import MailboxAccess
from portal.webmail.mailbox import message_list
from portal.webmail.mailbox.list_options import read_options, shows_conversations
from portal.webmail.mailbox.message_list import MessageRow
from portal.webmail.request_ids import query_id

RESULTS = 50  # on a page of search results, as `find` has them


@dataclass(frozen=True, slots=True)
class ListPlace:
    """A list, and the place of the open message in it.

    `acts_at` is where the forms are posted that act on the message.
    """

    label: str
    back: str
    acts_at: str
    query: dict[str, str]
    rows: list[MessageRow]
    position: int
    earlier: tuple[Message, str] | None = None
    """The message before the rows, on another page, and what a link to it ends with."""
    later: tuple[Message, str] | None = None
    """The message after the rows likewise."""

    @property
    def before(self) -> Message | None:
        """The message before the open one."""
        if self.position:
            return self.rows[self.position - 1].message
        return self.earlier[0] if self.earlier else None

    @property
    def before_link(self) -> str:
        """What the link to it ends with."""
        is_beyond = not self.position and self.earlier is not None
        return self.earlier[1] if is_beyond and self.earlier else self.link

    @property
    def after_link(self) -> str:
        """What the link to the message after the open one ends with."""
        is_beyond = self.position + 1 >= len(self.rows)
        return self.later[1] if is_beyond and self.later else self.link

    @property
    def after(self) -> Message | None:
        """The message after it."""
        following = self.rows[self.position + 1 : self.position + 2]
        if following:
            return following[0].message
        return self.later[0] if self.later else None

    @property
    def link(self) -> str:
        """What a link to another message of the list ends with."""
        return f"?{urlencode(self.query)}" if self.query else ""

    @property
    def more(self) -> str:
        """The same, where the link has a query already."""
        return f"&{urlencode(self.query)}" if self.query else ""

    @property
    def messages(self) -> list[Message]:
        """The messages of the rows."""
        return [row.message for row in self.rows]


def find_place(
    request: HttpRequest, access: MailboxAccess, message: Message
) -> ListPlace:
    """Returns the list that the request names, or the message's folder.

    Under emergency access it is always the folder: a search would be one more to report.
    """
    if access.emergency is None and (typed := request.GET.get("q", "").strip()):
        place = _in_results(request, access, message, typed)
        if place is not None:
            return place
    return _in_folder(request, access, message)


def _in_folder(
    request: HttpRequest, access: MailboxAccess, message: Message
) -> ListPlace:
    options = read_options(
        message.folder,
        request.GET,
        conversations=shows_conversations(access.mailbox),
        reader_id=request.user.pk or 0,
    )
    rows, position = message_list.around(options, message)
    where = {name: query_id(request, name) for name in ("past", "page")}
    query = options.query | {
        name: str(number) for name, number in where.items() if number
    }
    back = reverse("webmail:folder", args=[message.folder_id])
    return ListPlace(
        label=message.folder.name,
        back=f"{back}?{urlencode(query)}" if query else back,
        acts_at=reverse("webmail:act", args=[message.folder_id]),
        query=query,
        rows=rows,
        position=position,
    )


def _in_results(
    request: HttpRequest, access: MailboxAccess, message: Message, typed: str
) -> ListPlace | None:
    """Returns the page of results; None where the message is not on it any more."""
    past = query_id(request, "past")
    try:
        wanted = parse(typed)
        page = find(wanted, access.mailbox, before=past)
    except QueryError:
        return None
    found = page.messages
    if message not in found:
        return None
    query = {"q": typed} | ({"past": str(past)} if past else {})
    position = found.index(message)
    first = max(0, position - message_list.NEIGHBOURS)
    near = found[first : position + message_list.NEIGHBOURS + 1]
    back = reverse("webmail:search", args=[access.mailbox.pk])
    return ListPlace(
        label="results",
        back=f"{back}?{urlencode(query)}",
        acts_at=reverse("webmail:search_act", args=[access.mailbox.pk]),
        query=query,
        rows=[MessageRow(one) for one in near],
        position=position - first,
        earlier=None
        if position or not past
        else _newer(wanted, access, message, typed),
        later=_older(wanted, access, message, typed)
        if message == found[-1] and page.has_older
        else None,
    )


def _older(
    wanted: Query, access: MailboxAccess, message: Message, typed: str
) -> tuple[Message, str] | None:
    """Returns the first result of the page that follows."""
    found = find(wanted, access.mailbox, before=message.pk, limit=1).messages
    return (found[0], _link(typed, message.pk)) if found else None


def _newer(
    wanted: Query, access: MailboxAccess, message: Message, typed: str
) -> tuple[Message, str] | None:
    """Returns the last result of the page before, which may be the first."""
    newer = find(wanted, access.mailbox, after=message.pk, limit=RESULTS + 1)
    if not newer.messages:
        return None
    nearest = newer.messages[-1]
    is_first = len(newer.messages) <= RESULTS
    return nearest, _link(typed, None if is_first else newer.messages[0].pk)


def _link(typed: str, past: int | None) -> str:
    return "?" + urlencode({"q": typed} | ({"past": str(past)} if past else {}))
