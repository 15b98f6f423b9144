"""The person behind a request."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from engine.registry.models import Person
from engine.registry.permissions import REFUSAL


def signed_in_person(request: HttpRequest) -> Person:
    """Returns the signed-in person. Raises PermissionDenied for anonymous requests.

    Views behind a permission guard never see the exception; it narrows the type.
    """
    if not isinstance(request.user, Person):
        raise PermissionDenied(REFUSAL)
    return request.user
