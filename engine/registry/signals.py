"""Logs every changed row, and keeps the directory true to it, by whichever path it changed."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.db.models.signals import post_delete, post_save

from engine.registry.directory import index
from engine.registry.models import (
    Alias,
    Allowance,
    Change,
    Connection,
    DistributionList,
    Domain,
    EntryKind,
    Grant,
    ListMember,
    ListPoster,
    Mailbox,
    Organisation,
    OrganisationRole,
    Person,
    ProviderNetworks,
    SendingStop,
)
from engine.registry.models.change import logged_as

LOGGED: tuple[type[Model], ...] = (
    Alias,
    Allowance,
    Connection,
    DistributionList,
    Domain,
    Grant,
    ListMember,
    ListPoster,
    Mailbox,
    Organisation,
    OrganisationRole,
    Person,
    ProviderNetworks,
    SendingStop,
)


def _log(
    sender: type[Model],
    instance: Model,
    update_fields: frozenset[str] | None = None,
    **_: Any,
) -> None:
    """Note in the change log that a row was saved or deleted."""
    logged = logged_as(sender)
    if logged.concerns(update_fields):
        Change.objects.record(logged.kind, [getattr(instance, logged.key)])


for _model in LOGGED:
    post_save.connect(_log, sender=_model, dispatch_uid="registry-change-log")
    post_delete.connect(_log, sender=_model, dispatch_uid="registry-change-log")

# What concerns signing in alone says nothing of the directory.
UNLISTED_FIELDS = frozenset(
    {
        "everyday_address",
        "last_login",
        "mail_shut_at",
        "mail_shut_until",
        "password",
    }
)


# Facts of an organisation that stand in the entries of everything it has.
LISTED_ORGANISATION_FIELDS = frozenset({"name", "kind", "town", "status"})


def _list(
    sender: type[Model],
    instance: Model,
    update_fields: frozenset[str] | None = None,
    created: bool = False,
    raw: bool = False,
    **_: Any,
) -> None:
    """Keep the directory true to a row that was saved."""
    if update_fields and update_fields <= UNLISTED_FIELDS:
        return
    # A fixture's rows come in any order, so that what belongs to one may be there first.
    if created and not raw and _stands_alone(instance):
        index.add_new(instance)
    elif isinstance(instance, Organisation):
        if not update_fields or update_fields & LISTED_ORGANISATION_FIELDS:
            index.refresh_organisation(instance)
    elif isinstance(instance, Domain):
        index.refresh(EntryKind.ORGANISATION, instance.organisation_id)
    elif isinstance(instance, Mailbox) and instance.owner_id is not None:
        # A person's entry is the same without a mailbox and with an ordinary new one,
        # and rewriting it costs more than all other statements of adding a person.
        if not (created and instance.is_active and instance.is_published):
            index.refresh(EntryKind.PERSON, instance.owner_id)
    else:
        index.refresh(LISTED[sender], instance.pk)


def _stands_alone(instance: Model) -> bool:
    """Whether the entry of a row, when it is new, is the only one that records it."""
    if isinstance(instance, Mailbox):
        return instance.owner_id is None
    return not isinstance(instance, Domain)


def _unlist(sender: type[Model], instance: Model, **_: Any) -> None:
    """Take a row that is gone out of the directory, or what it said of another."""
    if sender in LISTED and not (isinstance(instance, Mailbox) and instance.owner_id):
        index.remove(LISTED[sender], instance.pk)
    else:
        _list(sender, instance)


LISTED: dict[type[Model], EntryKind] = {
    Person: EntryKind.PERSON,
    Organisation: EntryKind.ORGANISATION,
    DistributionList: EntryKind.LIST,
    Mailbox: EntryKind.GROUP_MAILBOX,
}

LISTENED: tuple[type[Model], ...] = (*LISTED, Domain)
for _listed in LISTENED:
    post_save.connect(_list, sender=_listed, dispatch_uid="registry-directory")
    post_delete.connect(_unlist, sender=_listed, dispatch_uid="registry-directory")
