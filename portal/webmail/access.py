"""Which mailboxes a person may open, and what they may do in each.

A person may open their own mailbox and the group mailboxes they have a grant for. For
anything else every method raises Http404 rather than PermissionDenied, so that a
response never reveals whether a message or mailbox exists. Staff roles open nothing
here.

Views that only read also open mailboxes under emergency access: those that ask for
`readable_mailboxes`, behind the guard `reads_mail`. Every other view knows nothing of
such a mailbox, so that a new one cannot write to it by mistake.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cached_property

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest

from engine.database.prepared_queries import PreparedQuery
from engine.registry import mailbox_openings
from engine.registry.mailbox_openings import OpeningMethod
from engine.registry.models import Person
from engine.storage import folder_list
from engine.storage.folder_list import ListedFolder
from engine.storage.models import Folder, Message, WithdrawnCopy
from portal.emergency_access import policies as emergency_policies
from portal.webmail import held_mailboxes
from portal.webmail.guards import reads_mail, requires_mail
from portal.webmail.held_mailboxes import MailboxAccess
from portal.webmail.models import Density, ReadingPreferences

__all__ = [
    "AccessibleMailboxes",
    "MailboxAccess",
    "accessible_mailboxes",
    "readable_mailboxes",
    "reads_mail",
    "requires_mail",
]

# For `AccessibleMailboxes.message` alone, which checks the mailbox of what it finds.
_MESSAGE = PreparedQuery(
    lambda message_id: Message.objects.filter(pk=message_id).select_related(
        "folder", "mailbox", "content"
    )
)


class AccessibleMailboxes:
    """Every mailbox one person may use. Queries the database once.

    With `reads_only`, mailboxes under emergency access can be found too. They are looked
    for only where the person's own are not meant.
    """

    def __init__(self, person: Person, *, reads_only: bool = False) -> None:
        self.person = person
        self._reads_only = reads_only

    @cached_property
    def all(self) -> list[MailboxAccess]:
        """All mailboxes: the person's own first, then group mailboxes by name."""
        return sorted(
            held_mailboxes.load(self.person),
            key=lambda one: (one.is_group, one.mailbox.name.casefold()),
        )

    @property
    def readable(self) -> list[MailboxAccess]:
        """The mailboxes that the person may read."""
        return [access for access in self.all if access.can_read]

    @property
    def sendable(self) -> list[MailboxAccess]:
        """The mailboxes that the person may send from."""
        return [access for access in self.all if access.can_send]

    @cached_property
    def reading(self) -> ReadingPreferences:
        """How the person reads. Loaded beside the mailboxes, so that no page asks for it."""
        known = vars(self.all[0].mailbox) if self.all else {}
        return ReadingPreferences(
            density=known.get("density") or Density.COMFORTABLE,
            uses_shortcuts=bool(known.get("uses_shortcuts")),
        )

    def first(self) -> MailboxAccess | None:
        """Returns the default mailbox: their own, else the first they may read."""
        found = (access for accesses in self._readable() for access in accesses)
        return next(found, None)

    def at(self, mailbox_id: int) -> MailboxAccess:
        """Returns the mailbox with this id, and records that they opened it.

        Raises Http404 if they may not read it.
        """
        for accesses in self._readable():
            for access in accesses:
                if access.mailbox.pk == mailbox_id:
                    self._note(access)
                    return access
        raise Http404

    def folder(self, folder_id: int) -> tuple[MailboxAccess, Folder]:
        """Returns a folder and its mailbox. Raises Http404 if they may not read it."""
        for accesses in self._readable():
            ids = [access.mailbox.pk for access in accesses]
            folder = Folder.objects.filter(mailbox__in=ids, pk=folder_id).first()
            if folder is not None:
                return self.at(folder.mailbox_id), folder
        raise Http404

    def folders_beside(
        self, folder_id: int, *, limit: int, withdrawn_since: datetime
    ) -> tuple[MailboxAccess, list[ListedFolder]]:
        """Returns the mailbox that has this folder, and its folders, in one statement.

        Raises Http404 if they may not read it. The rest is as in `folder_list.beside`.
        """
        for accesses in self._readable():
            ids = {access.mailbox.pk for access in accesses}
            found = folder_list.beside(
                folder_id, ids, limit=limit, withdrawn_since=withdrawn_since
            )
            if found:
                return self.at(found[0].folder.mailbox_id), found
        raise Http404

    def message(self, message_id: int) -> tuple[MailboxAccess, Message]:
        """Returns a message and its mailbox. Raises Http404 if they may not read it."""
        for accesses in self._readable():
            ids = {access.mailbox.pk for access in accesses}
            message = _MESSAGE.first(message_id)
            if message is not None and message.mailbox_id in ids:
                return self.at(message.mailbox_id), message
        raise Http404

    def withdrawn(self, copy_id: int) -> tuple[MailboxAccess, WithdrawnCopy]:
        """Returns a withdrawn message, and the mailbox that it was in.

        Its text is for emergency access alone: raises Http404 for everybody else, the
        holder of the mailbox too.
        """
        for access in self._opened if self._reads_only else ():
            rows = WithdrawnCopy.objects.select_related("content", "mailbox")
            copy = rows.filter(mailbox=access.mailbox, pk=copy_id).first()
            if copy is not None:
                return self.at(copy.mailbox_id), copy
        raise Http404

    def beside(self, access: MailboxAccess) -> AccessibleMailboxes:
        """Returns what the sidebar of a mailbox lists.

        Nothing beside one under emergency access: from there nothing is written or sent.
        """
        if access.emergency is None:
            return self
        alone = AccessibleMailboxes(self.person)
        alone.all = [access]
        return alone

    def writable(self, mailbox_id: int) -> MailboxAccess:
        """Returns a mailbox that the person may change.

        Raises Http404 if they may not read it and PermissionDenied if they may only
        read it.
        """
        access = self.at(mailbox_id)
        _check_can_write(access)
        return access

    def writable_folder(self, folder_id: int) -> tuple[MailboxAccess, Folder]:
        """Returns a writable folder and its mailbox. Raises like `writable`."""
        access, folder = self.folder(folder_id)
        _check_can_write(access)
        return access, folder

    def writable_message(self, message_id: int) -> tuple[MailboxAccess, Message]:
        """Returns a message that the person may change, and its mailbox.

        Raises like `writable`.
        """
        access, message = self.message(message_id)
        _check_can_write(access)
        return access, message

    def group_message(self, message_id: int) -> tuple[MailboxAccess, Message]:
        """Returns a message of a group mailbox that they may change. Raises like
        `writable`, and Http404 for one of their own mailbox."""
        access, message = self.writable_message(message_id)
        if not access.is_group:
            raise Http404
        return access, message

    def drafts_access(self, access: MailboxAccess) -> MailboxAccess | None:
        """Returns where drafts begun in this mailbox are saved, or None.

        That is the mailbox itself if they may write to it, else their own.
        """
        own = next((one for one in self.all if not one.is_group), None)
        return access if access.can_read and access.can_write else own

    @cached_property
    def _opened(self) -> list[MailboxAccess]:
        return [
            MailboxAccess(
                mailbox=emergency.mailbox,
                can_read=True,
                can_write=False,
                can_send=False,
                emergency=emergency,
            )
            for emergency in emergency_policies.readable(self.person)
            if emergency.mailbox is not None
        ]

    def _note(self, access: MailboxAccess) -> None:
        """Records the opening: once a day, or once for an emergency access."""
        emergency = access.emergency
        if emergency is None:
            mailbox_openings.note(
                access.mailbox, by=self.person, method=OpeningMethod.WEBMAIL
            )
            return
        mailbox_openings.note(
            access.mailbox,
            by=self.person,
            method=OpeningMethod.BREAK_GLASS,
            occasion=emergency.occasion,
            hidden_until=emergency.ends_at if emergency.is_withheld else None,
        )

    def _readable(self) -> Iterator[list[MailboxAccess]]:
        """Yields the person's mailboxes, then those under emergency access."""
        yield self.readable
        if self._reads_only:
            yield self._opened


def accessible_mailboxes(request: HttpRequest) -> AccessibleMailboxes:
    """Returns the signed-in person's mailboxes. Raises Http404 if anonymous."""
    if not isinstance(request.user, Person):
        raise Http404
    return AccessibleMailboxes(request.user)


def readable_mailboxes(request: HttpRequest) -> AccessibleMailboxes:
    """Returns `accessible_mailboxes`, and those under emergency access.

    For views that write nothing, and record what they show in emergency_access.readings.
    """
    if not isinstance(request.user, Person):
        raise Http404
    return AccessibleMailboxes(request.user, reads_only=True)


def _check_can_write(access: MailboxAccess) -> None:
    if not access.can_write:
        raise PermissionDenied("You may read this mailbox, but not change it.")
