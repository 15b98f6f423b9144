"""How somebody looks at a folder: in which order, which messages, how gathered."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.http import QueryDict

from engine.storage.models import Folder, FolderRole, MailboxSettings


class Order(StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"


class Show(StrEnum):
    ALL = "all"
    UNREAD = "unread"
    FLAGGED = "flagged"


_orders = {order.value: order for order in Order}
_shows = {show.value: show for show in Show}


@dataclass(frozen=True, slots=True)
class View:
    """How a folder is looked at."""

    folder: Folder
    order: Order = Order.NEWEST
    show: Show = Show.ALL
    conversations: bool = False

    @property
    def gathers(self) -> bool:
        """Whether a conversation stands on one line."""
        own = names_recipients(self.folder)
        return self.conversations and self.show is Show.ALL and not own

    @property
    def query(self) -> dict[str, str]:
        """What of it stands in the address."""
        chosen = {"order": self.order.value, "show": self.show.value}
        usual = {"order": Order.NEWEST.value, "show": Show.ALL.value}
        return {name: chosen[name] for name in chosen if chosen[name] != usual[name]}


def names_recipients(folder: Folder) -> bool:
    """True where everything comes from the holder, so that lines say to whom."""
    return folder.role in (FolderRole.DRAFTS, FolderRole.SENT)


def view_of(folder: Folder, asked: QueryDict) -> View:
    """How somebody asks to see the folder; what cannot be understood is as usual."""
    settings = MailboxSettings.objects.filter(mailbox=folder.mailbox_id).first()
    return View(
        folder,
        order=_orders.get(str(asked.get("order")), Order.NEWEST),
        show=_shows.get(str(asked.get("show")), Show.ALL),
        conversations=settings is None or settings.shows_conversations,
    )
