"""Who may open which mailbox. Every webmail screen asks here and nowhere else.

A person opens their own mailbox and the group mailboxes that they may read. Whatever
belongs to somebody else does not exist for them: asking for it raises Http404, so that
an answer never tells whether a message is there. No staff role opens anything here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.core.exceptions import PermissionDenied
from django.db.models import F, FilteredRelation, Q, QuerySet
from django.http import Http404, HttpRequest
from django.views.decorators.cache import cache_control

from engine.registry.models import (
    Mailbox,
    MailboxKind,
    OrganisationStatus,
    Person,
)
from engine.registry.permissions import Permission
from engine.registry.permissions.view_guards import GuardedView, View, requires
from engine.storage.models import Folder, Message


@dataclass(frozen=True, slots=True)
class Desk:
    """One person at one mailbox, and what they may do there."""

    mailbox: Mailbox
    can_read: bool
    can_write: bool
    can_send: bool

    @property
    def is_group(self) -> bool:
        return self.mailbox.kind == MailboxKind.GROUP


class Desks:
    """Every mailbox that one person may use. Asks the database once."""

    def __init__(self, person: Person) -> None:
        self.person = person

    @cached_property
    def all(self) -> list[Desk]:
        """Their own mailbox first, then group mailboxes by name."""
        desks = [self._desk(mailbox) for mailbox in self._mailboxes()]
        return sorted(desks, key=lambda d: (d.is_group, d.mailbox.name.casefold()))

    @property
    def readable(self) -> list[Desk]:
        return [desk for desk in self.all if desk.can_read]

    @property
    def sendable(self) -> list[Desk]:
        return [desk for desk in self.all if desk.can_send]

    def first(self) -> Desk | None:
        """Where a person starts: their own mailbox, else the first that they may read."""
        return next(iter(self.readable), None)

    def at(self, mailbox_id: int) -> Desk:
        """The mailbox with that id. Raises Http404 unless they may read it."""
        for desk in self.readable:
            if desk.mailbox.pk == mailbox_id:
                return desk
        raise Http404

    def folder(self, folder_id: int) -> tuple[Desk, Folder]:
        """A folder and where it stands. Raises Http404 unless they may read it."""
        ids = [desk.mailbox.pk for desk in self.readable]
        folder = Folder.objects.filter(mailbox__in=ids, pk=folder_id).first()
        if folder is None:
            raise Http404
        return self.at(folder.mailbox_id), folder

    def message(self, message_id: int) -> tuple[Desk, Message]:
        """A message and where it stands. Raises Http404 unless they may read it."""
        ids = [desk.mailbox.pk for desk in self.readable]
        message = (
            Message.objects.filter(mailbox__in=ids, pk=message_id)
            .select_related("folder", "mailbox", "content")
            .first()
        )
        if message is None:
            raise Http404
        return self.at(message.mailbox_id), message

    def writable(self, mailbox_id: int) -> Desk:
        desk = self.at(mailbox_id)
        _check_can_write(desk)
        return desk

    def writable_folder(self, folder_id: int) -> tuple[Desk, Folder]:
        desk, folder = self.folder(folder_id)
        _check_can_write(desk)
        return desk, folder

    def drafts_at(self, desk: Desk) -> Desk | None:
        """Where drafts begun at this desk are kept: there, or in their own mailbox."""
        own = next((d for d in self.all if not d.is_group), None)
        return desk if desk.can_read and desk.can_write else own

    def _mailboxes(self) -> QuerySet[Mailbox]:
        mine = FilteredRelation("grants", condition=Q(grants__person=self.person))
        return (
            Mailbox.objects.annotate(mine=mine)
            .filter(
                Q(owner=self.person) | Q(mine__isnull=False),
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

    def _desk(self, mailbox: Mailbox) -> Desk:
        owns = mailbox.owner_id == self.person.pk
        rights = vars(mailbox)
        return Desk(
            mailbox=mailbox,
            can_read=owns or rights["may_read"],
            can_write=owns or rights["may_write"],
            can_send=owns or rights["may_send"],
        )


def desks_of(request: HttpRequest) -> Desks:
    """What the person who asks may use. Raises Http404 for strangers."""
    if not isinstance(request.user, Person):
        raise Http404
    return Desks(request.user)


def uses_mail(view: View) -> GuardedView:
    """TBD"""
    return requires(Permission.USE_MAIL)(
        cache_control(private=True, no_store=True)(view)
    )


def _check_can_write(desk: Desk) -> None:
    if not desk.can_write:
        raise PermissionDenied("You may read this mailbox, but not change it.")
