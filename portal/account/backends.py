"""The authentication backend that grants Wagtail's permissions by registry roles."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend

from engine.registry import permissions
from engine.registry.models import Person
from engine.registry.permissions import Permission, Visitor

# Wagtail's permissions, and ours that grant them. Nothing else is granted, so that nobody
# needs a group or superuser rights.
WAGTAIL = {"wagtailadmin.access_admin": Permission.USE_CONSOLE}
CACHE = "_wagtail_permissions"


class RoleBackend(BaseBackend):
    """Answers permission checks of Django and Wagtail from the roles in the registry."""

    def has_perm(
        self,
        user_obj: Visitor,
        perm: str,
        obj: Any = None,
    ) -> bool:
        return perm in WAGTAIL and super().has_perm(user_obj, perm, obj)

    def get_all_permissions(self, user_obj: Visitor, obj: Any = None) -> set[str]:
        """Returns the granted permissions, cached on the person: a page asks many times."""
        if obj is not None or not isinstance(user_obj, Person):
            return set()
        if not hasattr(user_obj, CACHE):
            held = permissions.held_by(user_obj)
            granted = {name for name, ours in WAGTAIL.items() if ours in held}
            setattr(user_obj, CACHE, granted)
        return set(getattr(user_obj, CACHE))
