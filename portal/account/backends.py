from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

from engine.registry import permissions
from engine.registry.models import Person
from engine.registry.permissions import Permission

# What Wagtail asks, by what one of our permissions means. Nobody needs a group or to
# be a superuser, and nothing else that Wagtail might ask is granted.
WAGTAIL = {
    Permission.USE_CONSOLE: {"wagtailadmin.access_admin"},
}


class RoleBackend(BaseBackend):
    """Answers Django's and Wagtail's questions from the roles in the registry."""

    def get_all_permissions(
        self, user_obj: AbstractBaseUser | AnonymousUser, obj: Any = None
    ) -> set[str]:
        if obj is not None or not isinstance(user_obj, Person):
            return set()
        held = permissions.held(user_obj)
        return {
            name for ours, names in WAGTAIL.items() if ours in held for name in names
        }
