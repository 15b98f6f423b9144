"""The authenticated caller: an API key, its scopes, and the rows that it may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from engine.registry.errors import PolicyError
from engine.registry.models import ApiKey, Mailbox, MailboxKind, Organisation
from engine.registry.scopes import Scope

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Caller:
    """An API key, with the scopes that the current request may use.

    A token may carry fewer scopes than the key that it was taken out with.
    """

    key: ApiKey
    scopes: frozenset[str]

    # What the REST framework expects of `request.user`.
    is_authenticated = True
    is_active = True

    @property
    def pk(self) -> int:
        """The id of the API key, by which the framework counts rate limits."""
        return self.key.pk

    @property
    def organisation(self) -> Organisation | None:
        """The organisation that the key belongs to; None for a key of the community."""
        return self.key.organisation

    @property
    def is_test(self) -> bool:
        """Whether the key is a test key: its messages stay in the sandbox."""
        return self.key.is_test

    def has(self, scope: Scope) -> bool:
        """Returns whether the request may use the scope."""
        return str(scope) in self.scopes

    def visible(self, rows: QuerySet[M], path: str = "organisation") -> QuerySet[M]:
        """Restricts rows to those of the key's organisation.

        Every resource passes its queryset through here: this is the one place that keeps
        one organisation's rows from another's key. `path` is the lookup that leads from a
        row to its organisation.
        """
        if self.organisation is None:
            return rows
        return rows.filter(**{path: self.organisation.pk})

    def mailboxes(self) -> QuerySet[Mailbox]:
        """Returns the mailboxes whose messages the key may read and send from.

        Until a second person has agreed to the key, only group mailboxes and the mailbox
        of the administrator who made it: otherwise one administrator alone could read
        every member's mail. A key of the community opens no mailbox, and a test key none
        of what is real.
        """
        rows = Mailbox.objects.filter(organisation=self.organisation, is_active=True)
        if self.is_test:
            return rows.none()
        if self.key.agreed_at is not None:
            return rows
        maker = self.key.made_by
        if maker is not None and maker.is_mail_shut:
            return rows.none()
        own = Q(owner__isnull=False, owner=maker)
        return rows.filter(Q(kind=MailboxKind.GROUP) | own)

    def sandbox_mailboxes(self) -> QuerySet[Mailbox]:
        """Returns the mailboxes that a test key plays through: none of a live key."""
        rows = Mailbox.objects.filter(organisation=self.organisation, is_active=True)
        return rows if self.is_test else rows.none()

    def organisation_for(self, organisation_id: int | None) -> Organisation:
        """Returns the organisation that a request acts on.

        A key of one organisation may leave out the id. Raises Http404 for another
        organisation's id, and PolicyError where a key of the community names none.
        """
        if self.organisation is not None:
            if organisation_id not in (None, self.organisation.pk):
                raise Http404
            return self.organisation
        if organisation_id is None:
            raise PolicyError(
                "Name an organisation in the request: this key belongs to the whole "
                "community."
            )
        return get_object_or_404(Organisation, pk=organisation_id)


def caller_of(request: Request) -> Caller:
    """Returns the caller of an authenticated request. Raises PermissionDenied."""
    if not isinstance(request.user, Caller):
        raise PermissionDenied
    return request.user
