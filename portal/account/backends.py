from __future__ import annotations

from django.contrib.auth.backends import BaseBackend


class RoleBackend(BaseBackend):
    pass
