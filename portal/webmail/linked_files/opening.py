"""Finds the recipient that a visitor is: by signing in, or by an address proved here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest

from engine.database import clock
from engine.linked_files import limits, recipients
from engine.linked_files.models import LinkedFile
from engine.linked_files.proofs import PROVED_FOR
from engine.linked_files.recipients import Reader
from engine.registry.models import Person
from engine.registry.permissions import Permission
from engine.registry.permissions.view_guards import held_by_visitor
from portal.webmail.access import AccessibleMailboxes

# In the session: addresses that were proved, by the draft of the message, with the time
# until which they count; and the proof that waits for its code.
PROVED_KEY = "linked_files_proved"
PROOF_KEY = "linked_files_proof"
MOST_PROVED = 20


@dataclass(frozen=True, slots=True)
class Opening:
    """A file, and the recipient that this visitor is; None for those who may not."""

    file: LinkedFile
    reader: Reader | None
    person: Person | None

    @property
    def is_over(self) -> bool:
        """Whether the file has expired, or was ended before."""
        expires_at = self.file.expires_at
        is_expired = expires_at is not None and expires_at <= clock.now()
        return self.file.ended_at is not None or is_expired

    @property
    def files(self) -> list[LinkedFile]:
        """All files of the message, which have the same recipients."""
        rows = LinkedFile.objects.live().filter(
            mailbox=self.file.mailbox_id,
            token=self.file.token,
            reference=self.file.reference,
        )
        return list(rows.order_by("pk")[: limits.MOST_FILES])


def of(request: HttpRequest, secret: str) -> Opening:
    """Returns what a visitor may do with the file of a link. Raises Http404."""
    rows = LinkedFile.objects.select_related("content", "mailbox", "sender")
    file = rows.filter(secret=secret).first()
    if file is None:
        raise Http404
    person = mail_person(request)
    reader = None
    if person is not None:
        ids = [one.mailbox.pk for one in AccessibleMailboxes(person).readable]
        reader = recipients.by_mailboxes(file, ids)
    if reader is None and (proved := _by_proof(request, file)):
        return Opening(file, proved, None)
    return Opening(file, reader, person)


def mail_person(request: HttpRequest) -> Person | None:
    """Returns the signed-in person if they use mail here, with all that this needs."""
    if Permission.USE_MAIL not in held_by_visitor(request):
        return None
    return request.user if isinstance(request.user, Person) else None


def remember(request: HttpRequest, file: LinkedFile, recipient: str) -> None:
    """Notes in the session that the visitor has proved a recipient's address."""
    until = (clock.now() + PROVED_FOR).timestamp()
    proved: dict[str, Any] = request.session.get(PROVED_KEY, {})
    # The session gets another name: one that was known before proves nothing.
    request.session.cycle_key()
    kept = list(proved.items())[-MOST_PROVED + 1 :]
    request.session[PROVED_KEY] = dict(kept) | {str(file.token): [recipient, until]}
    request.session.pop(PROOF_KEY, None)


def _by_proof(request: HttpRequest, file: LinkedFile) -> Reader | None:
    """Returns the recipient that the session has proved; asks the trace each time."""
    recipient, until = request.session.get(PROVED_KEY, {}).get(str(file.token), ["", 0])
    if not recipient or until <= clock.now().timestamp():
        return None
    return recipients.by_address(file, recipient)
