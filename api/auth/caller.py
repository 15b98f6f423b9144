"""Who calls: a key, what it may do, and where."""

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
    """A key, and those of its scopes that this request may use."""

    key: ApiKey
    scopes: frozenset[str]

    # What the REST framework asks of whoever calls.
    is_authenticated = True
    is_active = True

    @property
    def pk(self) -> int:
        return self.key.pk

    @property
    def organisation(self) -> Organisation | None:
        """The one organisation where the key counts; None is the whole community."""
        return self.key.organisation

    def has(self, scope: Scope) -> bool:
        return str(scope) in self.scopes

    def within(self, rows: QuerySet[M], path: str = "organisation") -> QuerySet[M]:
        """Those of the rows that the key may know of: the one place that says so."""
        if self.organisation is None:
            return rows
        return rows.filter(**{path: self.organisation.pk})

    def mailboxes(self) -> QuerySet[Mailbox]:
        """Those whose messages the key opens: never another organisation's, nor all.

        Until a second person agrees, group mailboxes and its maker's own alone.
        """
        rows = Mailbox.objects.filter(organisation=self.organisation, is_active=True)
        if self.key.agreed_at is not None:
            return rows
        maker = self.key.made_by
        if maker is not None and maker.is_mail_shut:
            return rows.none()
        own = Q(owner__isnull=False, owner=maker)
        return rows.filter(Q(kind=MailboxKind.GROUP) | own)

    def place(self, organisation_id: int | None) -> Organisation:
        """The organisation that a request means; its own where it names none.

        Raises Http404 for another's, and PolicyError where the community's key names none.
        """
        if self.organisation is not None:
            if organisation_id not in (None, self.organisation.pk):
                raise Http404
            return self.organisation
        if organisation_id is None:
            raise PolicyError("Name an organisation: this key is of none.")
        return get_object_or_404(Organisation, pk=organisation_id)


def caller(request: Request) -> Caller:
    """Who calls. Raises PermissionDenied for nobody, which authentication prevents."""
    if not isinstance(request.user, Caller):
        raise PermissionDenied
    return request.user
