"""Every page and every act, by everybody: doors.txt says who may enter.

On the same walk each answer's header is held to the rules of tests/security/headers.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from engine.registry.models import Organisation
from tests.doors import cast, table, world
from tests.portal.conftest import SignIn, give_app
from tests.portal.guides.conftest import Shelf
from tests.security import headers

Knock = Callable[[str], tuple[Client, world.World]]

pytestmark = pytest.mark.slow

SIGN_IN, SECOND_FACTOR, HOME = "/account/login/", "/account/second-factor/", "/admin/"


def is_shut(response: HttpResponse, url: str, word: str) -> bool:
    """Whether the visitor was turned away: told no, told of nothing, or led elsewhere."""
    if response.status_code in (401, 403, 404, 405):
        return True
    place = response.headers.get("Location", "").partition("?")[0]
    if not place or place == url:
        return False
    return (
        place == SIGN_IN
        or (word in cast.HALF_IN and place.startswith(SECOND_FACTOR))
        or (place == HOME and _says_no(response))
    )


def _says_no(response: HttpResponse) -> bool:
    """Wagtail leads staff back to its home and says there that they may not."""
    said = response.wsgi_request._messages
    return any("do not have permission" in str(message) for message in said)


def is_open(response: HttpResponse, url: str, word: str, door: table.Door) -> bool:
    """Whether the visitor came in. 405 is the answer of an act that was only looked at."""
    if response.status_code == 405:
        return True
    if not door.is_furnished and response.status_code in (404, 500):
        return True
    return response.status_code < 500 and not is_shut(response, url, word)


def test_every_route_is_declared_and_every_declaration_is_a_route() -> None:
    there, said = set(table.routes()), set(table.declared())

    assert sorted(there - said) == [], "say in tests/doors/doors.txt who may enter"
    assert sorted(said - there) == [], "no longer routes"


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def knock(
    northfield: Organisation,
    harbour: Organisation,
    signed_in: SignIn,
    client: Client,
    shelf: Shelf,
) -> Knock:
    """Everybody and everything there is, then one visitor's client."""
    shelf.write("webmail", "Do this.\n")
    shelf.load()
    people = cast.people(northfield, harbour)
    things = world.make(people["member"], northfield)
    give_app(people["operator-by-password"])

    def visitor(word: str) -> tuple[Client, world.World]:
        person = people[word]
        if person is not None:
            signed_in(person, second_factor=word in cast.SHOWS_SECOND_FACTOR)
        client.raise_request_exception = False
        return client, things

    return visitor


def doors_for(word: str) -> Iterator[tuple[str, table.Door]]:
    """Every door; again on PostgreSQL those that open, as only behind them it is asked
    anything that it could answer otherwise."""
    for route, door in table.declared().items():
        if connection.vendor != "postgresql" or word in door.open_to:
            yield route, door


@pytest.mark.parametrize("word", sorted(cast.EVERYBODY))
def test_who_may_enter(word: str, knock: Knock) -> None:
    client, things = knock(word)
    wrong = []
    for route, door in doors_for(word):
        url = things.url(route)
        looked = client.get(url)
        about = {
            "is_stranger": word == "stranger",
            "is_public": "stranger" in door.open_to,
        }
        wrong += headers.faults(looked, route, **about)
        if word in door.open_to:
            if not is_open(looked, url, word, door):
                wrong.append(f"{route} is shut: {looked.status_code}")
        elif not is_shut(looked, url, word):
            wrong.append(f"{route} is open: {looked.status_code}")
        elif word not in cast.OUTSIDE:
            acted = client.post(url)
            wrong += headers.faults(acted, route, **about)
            if not is_shut(acted, url, word):
                wrong.append(f"{route} is open to an act: {acted.status_code}")
    assert not wrong, "\n".join(wrong)
