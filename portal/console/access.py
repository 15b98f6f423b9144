"""The guard of staff pages: permissions by staff role alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from engine.registry.models import Person, RoleName, StaffRole
from engine.registry.permissions import REFUSAL, Permission, Visitor, may_sign_in
from engine.registry.permissions.roles import ROLES
from engine.registry.permissions.view_guards import Access, GuardedView, View, requires


def held_as_staff(person: Visitor) -> frozenset[Permission]:
    """Returns the permissions that a person's staff roles grant.

    Roles inside an organisation do not count: an administrator may trace that
    organisation's messages, and the console shows everyone's.
    """
    if not isinstance(person, Person) or not may_sign_in(person):
        return frozenset()
    names = StaffRole.objects.filter(person=person).values_list("role", flat=True)
    return frozenset().union(*(ROLES[RoleName(name)].permissions for name in names))


def staff(permission: Permission) -> Callable[[View], GuardedView]:
    """Guards a view for staff whose role grants the permission."""

    def decorate(view: View) -> GuardedView:
        @wraps(view)
        def guarded(
            request: HttpRequest, *args: Any, **kwargs: Any
        ) -> HttpResponseBase:
            if permission not in held_as_staff(request.user):
                raise PermissionDenied(REFUSAL)
            return view(request, *args, **kwargs)

        outer = requires(Permission.USE_CONSOLE)(guarded)
        outer.access = Access(permission=permission)
        return outer

    return decorate
