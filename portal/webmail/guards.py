"""Who may open the views of webmail at all; which mailbox is decided in `access`."""

from __future__ import annotations

from functools import wraps
from typing import Any, cast

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.cache import cache_control

from engine.registry.models import Person
from engine.registry.permissions import Permission
from engine.registry.permissions.view_guards import (
    GuardedView,
    View,
    held_by_visitor,
    requires,
)
from portal.emergency_access import policies as emergency_policies


def requires_mail(view: View) -> GuardedView:
    """Restricts a view to people who may use mail, and forbids caching its response."""
    return requires(Permission.USE_MAIL)(_without_cache(view))


def reads_mail(view: View) -> GuardedView:
    """Restricts a view that only reads to people who use mail or have emergency access.

    Forbids caching its response. Beside `requires_mail` it lets in staff, who use no mail,
    while a mailbox is open to them.
    """
    refusing, admitted = requires_mail(view), _without_cache(view)

    @wraps(refusing)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        person = request.user
        if isinstance(person, Person) and (
            Permission.USE_MAIL in held_by_visitor(request)
            or emergency_policies.readable(person)
        ):
            return admitted(request, *args, **kwargs)
        return refusing(request, *args, **kwargs)

    return cast(GuardedView, guarded)


def _without_cache(view: View) -> View:
    return cache_control(private=True, no_store=True)(view)
