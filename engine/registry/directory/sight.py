"""Who sees what in the directory. Every search, page and suggestion asks here."""

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
class Sight:
    """What somebody may see: nothing, or all that is published and some that is not."""

    may_search: bool = False
    # Organisations whose unpublished entries are seen too, marked.
    administered: tuple[int, ...] = ()

    @property
    def condition(self) -> Q:
        return Q(is_published=True) | Q(organisation_id__in=self.administered)


def sight_of(viewer: Viewer) -> Sight:
    """Strangers, and whoever holds no role or scope that searches, see nothing."""
    if isinstance(viewer, ApiKey):
        return _sight_of_key(viewer)
    if not isinstance(viewer, Person):
        return Sight()
    if not permissions.can(viewer, Permission.SEARCH_DIRECTORY):
        return Sight()
    administered = viewer.organisation_roles.filter(
        role=RoleName.ADMINISTRATOR, organisation__status=OrganisationStatus.ACTIVE
    )
    ids = administered.order_by("organisation_id").values_list(
        "organisation_id", flat=True
    )
    return Sight(may_search=True, administered=tuple(ids))


def _sight_of_key(key: ApiKey) -> Sight:
    """An organisation's key sees what its administrators see."""
    if Scope.SEARCH_DIRECTORY not in key.scopes:
        return Sight()
    place = key.organisation
    if place is None:
        return Sight(may_search=True)
    return Sight(may_search=not place.is_trusted_domain, administered=(place.pk,))
