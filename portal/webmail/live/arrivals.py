"""What arrived in a mailbox since a page was loaded, in words for its live region."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.http import HttpRequest

from engine.storage.models import Message
from portal.webmail.request_ids import query_id
from portal.webmail.sidebar import Sidebar

# Messages that are counted; beyond it the words say "more than".
MOST = 20


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Unread messages that are new, and the newest of them."""

    count: int
    newest: Message

    most = MOST

    @property
    def is_more(self) -> bool:
        """Whether there are more than MOST."""
        return self.count > MOST


def since(request: HttpRequest, panel: Sidebar) -> Arrivals | None:
    """Returns what arrived after the message `since` of the query; None for nothing.

    What goes to Junk is not announced.
    """
    return in_folders(request, [line.folder.pk for line in panel.arriving])


def in_folders(request: HttpRequest, folders: Collection[int]) -> Arrivals | None:
    """Returns what arrived in these folders after the message `since` of the query."""
    after = query_id(request, "since")
    if after is None:
        return None
    rows = Message.objects.filter(folder__in=folders, pk__gt=after, is_read=False)
    found = list(rows.order_by("-pk")[: MOST + 1])
    return Arrivals(len(found), found[0]) if found else None
