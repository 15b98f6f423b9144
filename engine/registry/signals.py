"""Whatever path a change takes to a routed row, the registry's version moves with it."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.db.models.signals import post_delete, post_save

from engine.registry import stamp
from engine.registry.models import (
    Alias,
    Connection,
    DistributionList,
    Domain,
    Grant,
    ListMember,
    ListPoster,
    Mailbox,
    Organisation,
    Person,
)

ROUTED: tuple[type[Model], ...] = (
    Alias,
    Connection,
    DistributionList,
    Domain,
    Grant,
    ListMember,
    ListPoster,
    Mailbox,
    Organisation,
    Person,
)

# What a person changes by themselves, signing in for one, says nothing about routes.
UNROUTED_FIELDS = frozenset({"last_login", "password"})


def _changed(
    sender: type[Model], update_fields: frozenset[str] | None = None, **_: Any
) -> None:
    if update_fields and update_fields <= UNROUTED_FIELDS:
        return
    stamp.bump()


for _model in ROUTED:
    post_save.connect(_changed, sender=_model, dispatch_uid="registry-stamp")
    post_delete.connect(_changed, sender=_model, dispatch_uid="registry-stamp")
