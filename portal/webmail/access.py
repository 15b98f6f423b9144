"""Which mailboxes a person may open, and what they may do in each.

A person may open their own mailbox and the group mailboxes they have a grant for. For
anything else every method raises Http404 rather than PermissionDenied, so that a
response never reveals whether a message or mailbox exists. Staff roles open nothing
here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.core.exceptions import PermissionDenied
from django.db.models import F, FilteredRelation, Q, QuerySet
from django.http import Http404, HttpRequest
from django.views.decorators.cache import cache_control

from engine.registry import mailbox_openings
from engine.registry.mailbox_openings import OpeningMethod
from engine.registry.models import (
    Grant,
    Mailbox,
    MailboxKind,
    OrganisationStatus,
    Person,
)
from engine.registry.permissions import Permission
from engine.registry.permissions.view_guards import GuardedView, View, requires
from engine.storage.models import Folder, Message


@dataclass(frozen=True, slots=True)
class MailboxAccess:
    """One mailbox and what one person may do in it."""

    mailbox: Mailbox
    can_read: bool
    can_write: bool
    can_send: bool

    @property
    def is_group(self) -> bool:
        """True for a group mailbox."""
        return self.mailbox.kind == MailboxKind.GROUP


class AccessibleMailboxes:
    """Every mailbox one person may use. Queries the database once."""

    def __init__(self, person: Person) -> None:
        self.person = person

    @cached_property
    def all(self) -> list[MailboxAccess]:
        """All mailboxes: the person's own first, then group mailboxes by name."""
        mailboxes = [self._access(mailbox) for mailbox in self._mailboxes()]
        return sorted(
            mailboxes, key=lambda one: (one.is_group, one.mailbox.name.casefold())
        )

    @property
    def readable(self) -> list[MailboxAccess]:
        """The mailboxes that the person may read."""
        return [access for access in self.all if access.can_read]

    @property
    def sendable(self) -> list[MailboxAccess]:
        """The mailboxes that the person may send from."""
        return [access for access in self.all if access.can_send]

    def first(self) -> MailboxAccess | None:
        """Returns the default mailbox: their own, else the first they may read."""
        return next(iter(self.readable), None)

    def at(self, mailbox_id: int) -> MailboxAccess:
        """Returns the mailbox with this id, and records that they opened it.

        Raises Http404 if they may not read it.
        """
        for access in self.readable:
            if access.mailbox.pk == mailbox_id:
                mailbox_openings.note(
                    access.mailbox, by=self.person, method=OpeningMethod.WEBMAIL
                )
                return access
        raise Http404

    def folder(self, folder_id: int) -> tuple[MailboxAccess, Folder]:
        """Returns a folder and its mailbox. Raises Http404 if they may not read it."""
        ids = [access.mailbox.pk for access in self.readable]
        folder = Folder.objects.filter(mailbox__in=ids, pk=folder_id).first()
        if folder is None:
            raise Http404
        return self.at(folder.mailbox_id), folder

    def message(self, message_id: int) -> tuple[MailboxAccess, Message]:
        """Returns a message and its mailbox. Raises Http404 if they may not read it."""
        ids = [access.mailbox.pk for access in self.readable]
        message = (
            Message.objects.filter(mailbox__in=ids, pk=message_id)
            .select_related("folder", "mailbox", "content")
            .first()
        )
        if message is None:
            raise Http404
        return self.at(message.mailbox_id), message

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

    def drafts_access(self, access: MailboxAccess) -> MailboxAccess | None:
        """Returns where drafts begun in this mailbox are saved, or None.

        That is the mailbox itself if they may write to it, else their own.
        """
        own = next((one for one in self.all if not one.is_group), None)
        return access if access.can_read and access.can_write else own

    def _mailboxes(self) -> QuerySet[Mailbox]:
        # One query: every webmail page starts with it. By the ids of the person's own
        # few: a condition on either of two tables would read every mailbox there is.
        mine = FilteredRelation("grants", condition=Q(grants__person=self.person))
        own = Mailbox.objects.filter(owner=self.person).order_by().values("pk")
        shared = Grant.objects.filter(person=self.person).values("mailbox")
        return (
            Mailbox.objects.annotate(mine=mine)
            .filter(
                pk__in=own.union(shared, all=True),
                is_active=True,
                organisation__status=OrganisationStatus.ACTIVE,
            )
            .annotate(
                may_read=F("mine__can_read"),
                may_write=F("mine__can_write"),
                may_send=F("mine__can_send"),
            )
            .select_related("organisation")
            .order_by()
        )

    def _access(self, mailbox: Mailbox) -> MailboxAccess:
        owns = mailbox.owner_id == self.person.pk
        rights = vars(mailbox)
        return MailboxAccess(
            mailbox=mailbox,
            can_read=owns or rights["may_read"],
            can_write=owns or rights["may_write"],
            can_send=owns or rights["may_send"],
        )


def accessible_mailboxes(request: HttpRequest) -> AccessibleMailboxes:
    """Returns the signed-in person's mailboxes. Raises Http404 if anonymous."""
    if not isinstance(request.user, Person):
        raise Http404
    return AccessibleMailboxes(request.user)


def requires_mail(view: View) -> GuardedView:
    """Restricts a view to people who may use mail, and forbids caching its response."""
    return requires(Permission.USE_MAIL)(
        cache_control(private=True, no_store=True)(view)
    )


def _check_can_write(access: MailboxAccess) -> None:
    if not access.can_write:
        raise PermissionDenied("You may read this mailbox, but not change it.")
