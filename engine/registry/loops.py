"""Aliases and distribution lists that would lead back to themselves."""

from __future__ import annotations

from engine.registry.errors import PolicyError
from engine.registry.models import Alias, ListMember


def check_no_loop(source: str, target: str) -> None:
    """Raise PolicyError where mail to `target` could come back to `source`, both keys."""
    seen: set[str] = set()
    ahead = {target}
    while ahead:
        if source in ahead:
            raise PolicyError(f"{source} would lead back to itself through {target}.")
        seen |= ahead
        ahead = _next(ahead) - seen


def _next(keys: set[str]) -> set[str]:
    """What the aliases and lists among these lead to."""
    targets = Alias.objects.filter(address__in=keys).values_list("target", flat=True)
    members = ListMember.objects.filter(
        distribution_list__address__in=keys
    ).values_list("address", flat=True)
    return {*targets, *members}
