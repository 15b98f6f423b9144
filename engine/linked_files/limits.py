"""How much may be sent as links: by file, by person and by organisation."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Sum
from django.template.defaultfilters import filesizeformat

from engine.linked_files.models import LinkedFile, LinkedFileQuerySet
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, Person

# Of one message.
MOST_FILES = 20


@dataclass(frozen=True, slots=True)
class Room:
    """What a person may still share, in octets, and for how many days."""

    largest: int
    left: int
    days: int


def is_on() -> bool:
    """Whether this community sends files as links."""
    return file_limit() > 0


def file_limit() -> int:
    """Returns the octets of the largest file; 0 where the community sends no links."""
    return int(settings.POSTERN.linked_file_limit)


def room_of(person: Person, organisation_id: int) -> Room:
    """Returns what is left for a person, by the limits of both. Two queries."""
    ours = settings.POSTERN
    live = LinkedFile.objects.live()
    of_person = ours.linked_files_of_person - _sum(live.filter(person=person))
    organisation = live.filter(organisation_id=organisation_id)
    of_organisation = ours.linked_files_of_organisation - _sum(organisation)
    left = max(0, min(of_person, of_organisation))
    return Room(min(file_limit(), left), left, ours.linked_file_days)


def check_size(name: str, size: int) -> None:
    """Raises PolicyError for a file that is too large, or empty."""
    if not is_on():
        raise PolicyError("This service does not send files as links.")
    if size > file_limit():
        raise PolicyError(
            f"{name} was not added: a file that is sent as a link has at most "
            f"{filesizeformat(file_limit())}. Divide it into several files."
        )
    if not size:
        raise PolicyError(f"{name} was not added: it is empty.")


def check_room(name: str, size: int, *, by: Person, mailbox: Mailbox) -> None:
    """Raises PolicyError where the limit of a person or an organisation is used up."""
    room = room_of(by, mailbox.organisation_id)
    if size > room.left:
        raise PolicyError(
            f"{name} was not added: {filesizeformat(room.left)} are left of what you and "
            "your organisation may share by links. Stop sharing files that are no longer "
            "needed, under Files sent as links."
        )


def _sum(rows: LinkedFileQuerySet) -> int:
    return int(rows.aggregate(total=Sum("size", default=0))["total"])
