"""Visibility: which entries a person or a key may see. Every search applies it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from django.db.models import Q

from engine.registry import permissions
from engine.registry.models import ApiKey, OrganisationStatus, Person, RoleName
from engine.registry.permissions import Permission, Visitor
from engine.registry.scopes import Scope

Viewer: TypeAlias = Visitor | ApiKey


@dataclass(frozen=True, slots=True)
class Visibility:
    """What a viewer may see: nothing, or all published entries and some unpublished."""

    may_search: bool = False
    # Organisations whose unpublished entries are visible too, marked as such.
    administered: tuple[int, ...] = ()

    @property
    def condition(self) -> Q:
        """The condition on DirectoryEntry rows. Check `may_search` first."""
        return Q(is_published=True) | Q(organisation_id__in=self.administered)


def visibility_of(viewer: Viewer) -> Visibility:
    """Returns what the viewer may see.

    Nothing for unauthenticated visitors, and for people and keys without the permission
    or the scope to search.
    """
    if isinstance(viewer, ApiKey):
        return _visibility_of_key(viewer)
    if not isinstance(viewer, Person):
        return Visibility()
    if not permissions.can(viewer, Permission.SEARCH_DIRECTORY):
        return Visibility()
    administered = viewer.organisation_roles.filter(
        role=RoleName.ADMINISTRATOR, organisation__status=OrganisationStatus.ACTIVE
    )
    ids = administered.order_by("organisation_id").values_list(
        "organisation_id", flat=True
    )
    return Visibility(may_search=True, administered=tuple(ids))


def _visibility_of_key(key: ApiKey) -> Visibility:
    """An organisation's key sees what its administrators see."""
    if Scope.SEARCH_DIRECTORY not in key.scopes:
        return Visibility()
    organisation = key.organisation
    if organisation is None:
        return Visibility(may_search=True)
    return Visibility(
        may_search=not organisation.is_trusted_domain, administered=(organisation.pk,)
    )
