"""How a folder is listed: order, filter, and whether conversations are grouped."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.http import QueryDict

from engine.storage.models import Folder, FolderRole, MailboxSettings


class Order(StrEnum):
    """The order of the messages."""

    NEWEST = "newest"
    OLDEST = "oldest"


class Show(StrEnum):
    """Which messages are listed."""

    ALL = "all"
    UNREAD = "unread"
    FLAGGED = "flagged"
    MINE = "mine"
    NOBODYS = "nobodys"


_orders = {order.value: order for order in Order}
_shows = {show.value: show for show in Show}


@dataclass(frozen=True, slots=True)
class ListOptions:
    """How a folder is listed."""

    folder: Folder
    order: Order = Order.NEWEST
    show: Show = Show.ALL
    conversations: bool = False
    reader_id: int = 0
    """The id of the person whose messages MINE lists."""

    @property
    def groups_conversations(self) -> bool:
        """Whether a conversation takes one row."""
        own = names_recipients(self.folder)
        return self.conversations and self.show is Show.ALL and not own

    @property
    def query(self) -> dict[str, str]:
        """The query parameters that differ from the defaults."""
        chosen = {"order": self.order.value, "show": self.show.value}
        usual = {"order": Order.NEWEST.value, "show": Show.ALL.value}
        return {name: chosen[name] for name in chosen if chosen[name] != usual[name]}


def names_recipients(folder: Folder) -> bool:
    """True for Drafts and Sent, whose rows name the recipients, not the sender."""
    return folder.role in (FolderRole.DRAFTS, FolderRole.SENT)


def read_options(
    folder: Folder, asked: QueryDict, *, reader_id: int = 0
) -> ListOptions:
    """Reads the options from query parameters; unknown values mean the defaults."""
    settings = MailboxSettings.objects.filter(mailbox=folder.mailbox_id).first()
    return ListOptions(
        folder,
        order=_orders.get(str(asked.get("order")), Order.NEWEST),
        show=_shows.get(str(asked.get("show")), Show.ALL),
        conversations=settings is None or settings.shows_conversations,
        reader_id=reader_id,
    )
