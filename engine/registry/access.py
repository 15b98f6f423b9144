"""How a view says who may reach it. A view that says nothing is refused by a test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Protocol, TypeAlias, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from engine.registry import permissions
from engine.registry.models import Organisation
from engine.registry.permissions import Permission

View: TypeAlias = Callable[..., HttpResponseBase]
OrganisationFinder: TypeAlias = Callable[..., Organisation | None]


@dataclass(frozen=True, slots=True)
class Access:
    """What a view asks of its visitor: nothing, to be signed in, or a permission."""

    is_public: bool = False
    permission: Permission | None = None


class GuardedView(Protocol):
    """A view that says who may reach it."""

    access: Access

    def __call__(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase: ...


def public(view: View) -> GuardedView:
    """Let everybody reach the view."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs)

    return _marked(guarded, Access(is_public=True))


def signed_in(view: View) -> GuardedView:
    """Let everybody who may sign in reach the view; send others to the sign-in page."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not permissions.may_sign_in(request.user):
            raise PermissionDenied("Your account is suspended.")
        return view(request, *args, **kwargs)

    return _marked(guarded, Access())


def requires(
    permission: Permission, organisation_from: str | OrganisationFinder | None = None
) -> Callable[[View], GuardedView]:
    """Let those reach the view who hold the permission.

    `organisation_from` says where it is asked: the name of the URL's argument that
    holds an organisation's id, or a function of the request and the URL's arguments
    that finds the organisation. Without it the person's own one is meant. An
    organisation that does not exist is refused like one that is not theirs.
    """

    def decorate(view: View) -> GuardedView:
        @wraps(view)
        def guarded(
            request: HttpRequest, *args: Any, **kwargs: Any
        ) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            organisation = _place(organisation_from, request, args, kwargs)
            permissions.check(request.user, permission, organisation=organisation)
            return view(request, *args, **kwargs)

        return _marked(guarded, Access(permission=permission))

    return decorate


def _place(
    organisation_from: str | OrganisationFinder | None,
    request: HttpRequest,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Organisation | None:
    """Find where the permission is asked. Raises PermissionDenied for nowhere."""
    if organisation_from is None:
        return None
    if isinstance(organisation_from, str):
        found = Organisation.objects.filter(pk=kwargs[organisation_from]).first()
    else:
        found = organisation_from(request, *args, **kwargs)
    if found is None:
        raise PermissionDenied(permissions.REFUSAL)
    return found


def _marked(view: View, access: Access) -> GuardedView:
    """Put on the view what a walk over all routes reads."""
    guarded = cast(GuardedView, view)
    guarded.access = access
    return guarded
