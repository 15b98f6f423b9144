"""How every webmail view is guarded, and kept out of caches."""

from __future__ import annotations

from django.views.decorators.cache import cache_control

from engine.registry.access import GuardedView, View, requires
from engine.registry.permissions import Permission


def uses_mail(view: View) -> GuardedView:
    """Let those reach the view who may use mail; what it shows is kept by nobody."""
    return requires(Permission.USE_MAIL)(
        cache_control(private=True, no_store=True)(view)
    )
