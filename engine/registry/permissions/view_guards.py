"""View guards: decorators with which each view declares who may reach it.

They are the only way to open a route. A test walks all routes and fails for a view that
declares nothing, so a forgotten decorator cannot publish a page.
"""

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
from engine.registry.models import Organisation, Person
from engine.registry.permissions import REFUSAL, Permission, roles_held

View: TypeAlias = Callable[..., HttpResponseBase]
OrganisationFinder: TypeAlias = Callable[..., Organisation | None]


@dataclass(frozen=True, slots=True)
class Access:
    """What a view requires: nothing (`is_public`), a sign-in, or a permission."""

    is_public: bool = False
    permission: Permission | None = None


class GuardedView(Protocol):
    """A view that carries its access requirement."""

    access: Access

    def __call__(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Responds to a request that meets the requirement."""


def public(view: View) -> GuardedView:
    """Declares a view that needs no sign-in."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs)

    return _declare(guarded, Access(is_public=True))


def signed_in(view: View) -> GuardedView:
    """Requires a sign-in, and redirects unauthenticated visitors to the sign-in page.

    Raises PermissionDenied for accounts suspended since they signed in.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not permissions.may_sign_in(request.user):
            raise PermissionDenied("Your account is suspended.")
        return view(request, *args, **kwargs)

    return _declare(guarded, Access())


def requires(
    permission: Permission, organisation_from: str | OrganisationFinder | None = None
) -> Callable[[View], GuardedView]:
    """Requires a permission, and redirects unauthenticated visitors to the sign-in page.

    `organisation_from` says in which organisation the permission must be held: the name
    of the URL argument with an organisation's id, or a function of the request and the
    URL's arguments that finds the organisation. By default the person's own is meant.
    Raises PermissionDenied with the same message for an organisation that does not exist
    and for one where the permission is missing, so that ids cannot be probed.
    """

    def decorate(view: View) -> GuardedView:
        @wraps(view)
        def guarded(
            request: HttpRequest, *args: Any, **kwargs: Any
        ) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            organisation = _find_organisation(organisation_from, request, args, kwargs)
            if permission not in held_by_visitor(request, organisation):
                raise PermissionDenied(REFUSAL)
            return view(request, *args, **kwargs)

        return _declare(guarded, Access(permission=permission))

    return decorate


def held_by_visitor(
    request: HttpRequest, organisation: Organisation | None = None
) -> frozenset[Permission]:
    """Returns what `held_by` does of the visitor; the roles are read once a request."""
    person = request.user
    if not isinstance(person, Person):
        return frozenset()
    roles = roles_held.of_visitor(request, person)
    return permissions.held_by(person, organisation=organisation, roles=roles)


def organisation_by_id(request: HttpRequest, organisation_id: int) -> Organisation:
    """Returns an organisation; the visitor's own without asking the database again.

    Raises Organisation.DoesNotExist.
    """
    person = request.user
    own = person.organisation if isinstance(person, Person) else None
    if own is not None and own.pk == organisation_id:
        return own
    return Organisation.objects.get(pk=organisation_id)


def _find_organisation(
    organisation_from: str | OrganisationFinder | None,
    request: HttpRequest,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Organisation | None:
    """Returns the organisation to check; None for the person's own.

    Raises PermissionDenied if it does not exist. Returning None then would check the
    person's own organisation in its place, and let an administrator through.
    """
    if organisation_from is None:
        return None
    if isinstance(organisation_from, str):
        try:
            return organisation_by_id(request, kwargs[organisation_from])
        except Organisation.DoesNotExist:
            raise PermissionDenied(REFUSAL) from None
    found = organisation_from(request, *args, **kwargs)
    if found is None:
        raise PermissionDenied(REFUSAL)
    return found


def _declare(view: View, access: Access) -> GuardedView:
    """Attaches the requirement to the view, where the test of all routes finds it."""
    guarded = cast(GuardedView, view)
    guarded.access = access
    return guarded
