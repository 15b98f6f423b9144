"""Opens the content of files, and records every download and every refusal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO

from django.db import transaction
from django.db.models import Count, F, Window
from django.db.models.fields.json import KT
from django.db.models.functions import RowNumber

from engine.audit.record import record
from engine.database import clock
from engine.linked_files.models import LinkedFile
from engine.linked_files.recipients import Reader
from engine.registry.models import Person
from engine.storage import content, mailbox_changes
from engine.storage.content_keys import Held
from engine.trace import event_log
from engine.trace.models import Event, EventKind

# A refusal to the same visitor is recorded once in this time.
AGAIN_AFTER = timedelta(hours=1)
ANYBODY = "a visitor"


def open_content(file: LinkedFile) -> BinaryIO:
    """Opens a file for reading piece by piece.

    Raises FileNotFoundError for one that has ended, and as `content.open_body` does.
    """
    if file.content is None:
        raise FileNotFoundError(file.name)
    return content.open_body(Held(file.content, file.organisation_id))


@transaction.atomic
def note_download(file: LinkedFile, reader: Reader, *, by: Person | None) -> None:
    """Records a download in the trace of the recipient's delivery, and in the audit.

    `by` is None for a visitor who proved the recipient's address. The author's own are in
    the audit alone.
    """
    record(
        "linked_file.downloaded",
        file,
        organisation_key=file.organisation_id,
        detail={"reference": file.reference, "recipient": reader.recipient},
        by=by,
    )
    if not reader.is_author:
        event = event_log.event(
            reader.reference,
            EventKind.DOWNLOADED,
            reader.recipient,
            linked_file=file.pk,
            downloaded_by=by.address if by else "",
        )
        event_log.save([event])
        mailbox_changes.note_senders([file.reference])


@transaction.atomic
def note_refusal(file: LinkedFile, *, by: Person | None, address: str = "") -> None:
    """Records that a file was refused to somebody who is no recipient of its message.

    Once an hour for each person, and for all visitors with one address (`address` is what
    they typed).
    """
    who = by.address if by else address or ANYBODY
    earlier = Event.objects.filter(
        reference=file.reference,
        kind=EventKind.LINK_REFUSED,
        at__gt=clock.now() - AGAIN_AFTER,
        detail__refused_to=who,
    )
    if not file.is_sent or earlier.exists():
        return
    record(
        "linked_file.refused",
        file,
        organisation_key=file.organisation_id,
        detail={"reference": file.reference, "to": who},
        by=by,
    )
    event = event_log.event(
        file.reference,
        EventKind.LINK_REFUSED,
        linked_file=file.pk,
        refused_to=who,
    )
    event_log.save([event])


@dataclass(frozen=True, slots=True)
class Downloads:
    """The latest downloads of a file, and how many there were."""

    latest: Sequence[Event] = ()
    total: int = 0


def of_files(files: Collection[LinkedFile], *, shown: int) -> dict[int, Downloads]:
    """Returns the downloads of files that their author may see, by file. One query.

    Of each file the latest `shown`. What members of a list downloaded is in the list's own
    trace.
    """
    by_file = KT("detail__linked_file")
    downloaded = Event.objects.filter(
        reference__in={one.reference for one in files if one.is_sent},
        kind=EventKind.DOWNLOADED,
    ).annotate(
        nth=Window(RowNumber(), partition_by=[by_file], order_by=F("pk").desc()),
        total=Window(Count("pk"), partition_by=[by_file]),
    )
    found: defaultdict[int, list[Event]] = defaultdict(list)
    totals: dict[int, int] = {}
    for event in downloaded.filter(nth__lte=shown).order_by("-pk"):
        file_id = event.detail.get("linked_file", 0)
        found[file_id].append(event)
        totals[file_id] = event.total
    return {
        file_id: Downloads(rows, totals[file_id]) for file_id, rows in found.items()
    }
