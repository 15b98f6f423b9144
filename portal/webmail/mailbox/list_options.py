"""How a folder is listed: order, filter, and whether conversations are grouped."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.http import QueryDict

from engine.registry.models import Mailbox
from engine.storage.models import Folder, FolderRole, MailboxSettings


class Order(StrEnum):
    """The order of the messages."""

    NEWEST = "newest"
    OLDEST = "oldest"
    LARGEST = "largest"
    SMALLEST = "smallest"
    SENDER = "sender"


class Show(StrEnum):
    """Which messages are listed."""

    ALL = "all"
    UNREAD = "unread"
    FLAGGED = "flagged"
    FILES = "files"
    LARGE = "large"
    MINE = "mine"
    NOBODYS = "nobodys"


# What each order sorts by before the id, where that is not the id alone. Each has an index
# of the folder and this, so that a page costs the same in a folder of any size.
SORTED_BY = {
    Order.LARGEST: "size",
    Order.SMALLEST: "size",
    Order.SENDER: "from_address",
}
ASCENDING = (Order.OLDEST, Order.SMALLEST, Order.SENDER)
# Octets above which LARGE lists a message.
LARGE_SIZE = 1024**2
MAX_ADDRESS = 254

_orders = {order.value: order for order in Order}
_shows = {show.value: show for show in Show}


@dataclass(frozen=True, slots=True)
class ListOptions:
    """How a folder is listed."""

    folder: Folder
    order: Order = Order.NEWEST
    show: Show = Show.ALL
    conversations: bool = False
    sender: str = ""
    """The address whose messages alone are listed."""
    reader_id: int = 0
    """The id of the person whose messages MINE lists."""

    @property
    def groups_conversations(self) -> bool:
        """Whether a conversation takes one row."""
        own = names_recipients(self.folder)
        is_whole = self.show is Show.ALL and not self.sender
        by_date = self.order in (Order.NEWEST, Order.OLDEST)
        return self.conversations and is_whole and by_date and not own

    @property
    def query(self) -> dict[str, str]:
        """The query parameters that differ from the defaults."""
        chosen = {"order": self.order.value, "show": self.show.value}
        chosen["sender"] = self.sender
        usual = {"order": Order.NEWEST.value, "show": Show.ALL.value, "sender": ""}
        return {name: chosen[name] for name in chosen if chosen[name] != usual[name]}


def names_recipients(folder: Folder) -> bool:
    """True for Drafts and Sent, whose rows name the recipients, not the sender."""
    return folder.role in (FolderRole.DRAFTS, FolderRole.SENT)


def shows_conversations(mailbox: Mailbox) -> bool:
    """Whether a mailbox shows a conversation as one row."""
    # Loaded with the mailbox, so that this costs a page no query.
    settings: MailboxSettings | None = getattr(mailbox, "settings", None)
    return settings is None or settings.shows_conversations


def read_options(
    folder: Folder,
    asked: QueryDict,
    *,
    conversations: bool = True,
    reader_id: int = 0,
) -> ListOptions:
    """Reads the options from query parameters; unknown values mean the defaults."""
    order = _orders.get(str(asked.get("order")), Order.NEWEST)
    show = _shows.get(str(asked.get("show")), Show.ALL)
    sender = str(asked.get("sender", "")).strip()[:MAX_ADDRESS]
    # No index serves a filter in another order than its own.
    if show is Show.LARGE:
        order, sender = Order.LARGEST, ""
    elif sender or show is not Show.ALL:
        order = order if order not in SORTED_BY else Order.NEWEST
        show = Show.ALL if sender else show
    return ListOptions(
        folder,
        order=order,
        show=show,
        sender=sender,
        conversations=conversations,
        reader_id=reader_id,
    )
