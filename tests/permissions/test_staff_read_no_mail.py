"""Visits what staff and their keys could ask for, and finds the body of no message.

test_permissions visits every page as every staff role, and looks for the same secret.
Emergency access, which two others approve, is the only way in which staff read one: see
tests/portal/emergency_access.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client

from engine.registry.actions import api_keys
from engine.registry.models import Organisation, Person
from engine.registry.scopes import Scope
from tests.permissions import permission_table, secret_letter, visitors
from tests.permissions.route_objects import RouteObjects
from tests.portal.conftest import sign_in
from tests.portal.guides.conftest import GuideFolder

pytestmark = [pytest.mark.slow, pytest.mark.any_database]


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def people(northfield: Organisation, harbour: Organisation) -> dict[str, Person | None]:
    return visitors.create(northfield, harbour)


@pytest.fixture
def objects(
    people: dict[str, Person | None],
    northfield: Organisation,
    guide_folder: GuideFolder,
    tmp_path,
    settings,
) -> RouteObjects:
    """One object for every route, and the secret wherever a message is kept."""
    settings.POSTERN = settings.POSTERN.model_copy(update={"var": tmp_path})
    guide_folder.write("webmail", "Do this.\n")
    guide_folder.load()
    bob = people["member"]
    assert bob is not None
    return secret_letter.create(bob, northfield)


def revealing(client: Client, objects: RouteObjects, routes: list[str]) -> list[str]:
    """Returns those of the routes whose response holds the secret."""
    client.raise_request_exception = False
    found = []
    for route in routes:
        response = client.get(objects.url(route), {"q": secret_letter.SOUGHT})
        if secret_letter.is_in(response):
            found.append(route)
    return found


def open_to(visitor: str) -> list[str]:
    declared = permission_table.declared()
    return [route for route, found in declared.items() if visitor in found.admits]


def test_no_key_that_staff_can_make_alone_shows_a_body(
    people: dict[str, Person | None], objects: RouteObjects
) -> None:
    _, secret = api_keys.add(
        None, name="Tool", scopes=list(Scope), by=people["operator"]
    )

    client = Client(headers={"Authorization": f"Bearer {secret}"})

    routes = [one for one in permission_table.declared() if one.startswith("api/")]

    assert len(routes) > 50
    assert revealing(client, objects, routes) == []


def test_the_same_walk_shows_the_holder_every_body(
    people: dict[str, Person | None], objects: RouteObjects
) -> None:
    bob = people["member"]
    assert bob is not None

    found = revealing(sign_in(Client(), bob), objects, open_to("member"))

    assert {
        "mail/messages/<int:message_id>/content/",
        "mail/messages/<int:message_id>/original/",
        "mail/messages/<int:message_id>/print/",
    } <= set(found)
