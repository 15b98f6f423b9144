"""Requests every page and every action as every visitor, as permissions.txt declares.

The header of each response is checked by tests/security/headers.py. No page shows staff
the body of a message, whatever they look for: see also test_staff_read_no_mail.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.views.defaults import page_not_found, permission_denied

from engine.registry.models import Organisation, Person
from portal import urls
from tests.permissions import (
    permission_table,
    remembered_sessions,
    secret_letter,
    visitors,
)
from tests.permissions.permission_table import Permission
from tests.permissions.route_objects import RouteObjects
from tests.portal.conftest import give_app, sign_in
from tests.portal.guides.conftest import GuideFolder
from tests.security import headers

Visit = Callable[[str], Client]

pytestmark = pytest.mark.slow

SIGN_IN, SECOND_FACTOR, HOME = "/account/login/", "/account/second-factor/", "/admin/"


def is_refused(response: HttpResponse, url: str, visitor: str) -> bool:
    """Returns whether the visitor was refused, shown nothing, or redirected elsewhere."""
    if response.status_code in (401, 403, 404, 405):
        return True
    place = response.headers.get("Location", "").partition("?")[0]
    if not place or place == url:
        return False
    return (
        place == SIGN_IN
        or (visitor in visitors.HALF_SIGNED_IN and place.startswith(SECOND_FACTOR))
        or (place == HOME and _says_no(response))
    )


def _says_no(response: HttpResponse) -> bool:
    """Wagtail redirects staff to its home page, with a message that refuses them."""
    shown = response.wsgi_request._messages
    return any("do not have permission" in str(message) for message in shown)


def is_admitted(
    response: HttpResponse, url: str, visitor: str, permission: Permission
) -> bool:
    """Returns whether the visitor was let in. An action answers a GET with 405."""
    if response.status_code == 405:
        return True
    if not permission.has_object and response.status_code in (404, 500):
        return True
    return response.status_code < 500 and not is_refused(response, url, visitor)


def test_every_route_is_declared_and_every_declaration_is_a_route() -> None:
    existing = set(permission_table.routes())
    declared = set(permission_table.declared())

    assert sorted(existing - declared) == [], "declare it in permissions.txt"
    assert sorted(declared - existing) == [], "no longer routes"


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
    settings.POSTERN = settings.POSTERN.model_copy(update={"var": tmp_path})
    guide_folder.write("webmail", "Do this.\n")
    guide_folder.load()
    give_app(people["operator-by-password"])
    return secret_letter.create(people["member"], northfield)


@pytest.fixture
def visit(people: dict[str, Person | None], monkeypatch: pytest.MonkeyPatch) -> Visit:
    """Returns what signs a visitor in with a browser of their own."""
    remembered_sessions.use(monkeypatch)

    def browse(visitor: str) -> Client:
        client = Client(raise_request_exception=False)
        person = people[visitor]
        if person is not None:
            shows_factor = visitor in visitors.SHOWS_SECOND_FACTOR
            sign_in(client, person, second_factor=shows_factor)
        return client

    return browse


@pytest.fixture
def short_refusals(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Renders each error page once for each visitor, and logs none.

    Half of the requests are refused.
    """
    seen: set[tuple[object, int]] = set()

    def refuse(
        status: int,
        page: Callable[..., HttpResponse],
        request: HttpRequest,
        exception: Exception,
    ) -> HttpResponse:
        key = (request.user.pk, status)
        if key in seen:
            return HttpResponse("Refused.", status=status)
        seen.add(key)
        return page(request, exception)

    for status, page in {403: permission_denied, 404: page_not_found}.items():
        handler = partial(refuse, status, page)
        monkeypatch.setattr(urls, f"handler{status}", handler, raising=False)
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@contextmanager
def undone() -> Iterator[None]:
    """Undoes in the database whatever happens meanwhile, and forgets what was counted."""
    cache.clear()
    before = transaction.savepoint()
    yield
    transaction.savepoint_rollback(before)
    transaction.set_rollback(False)
    cache.clear()


def permissions_to_try(visitor: str) -> Iterator[tuple[str, Permission]]:
    """Yields every route; on PostgreSQL each for one visitor that it admits.

    Who is refused is decided before any query that differs between the databases.
    """
    for route, permission in permission_table.declared().items():
        if connection.vendor != "postgresql" or visitor == min(
            permission.admits, default=None
        ):
            yield route, permission


TRYING = [
    visitor
    for visitor in sorted(visitors.EVERYBODY)
    if any(True for _ in permissions_to_try(visitor))
]


def test_who_may_enter(
    visit: Visit, objects: RouteObjects, short_refusals: None
) -> None:
    wrong: list[str] = []
    for visitor in TRYING:
        # Everyone finds what the fixtures made: making it takes a second.
        with undone():
            faults = _wrong_for(visitor, visit(visitor), objects)
            wrong += [f"{visitor}: {fault}" for fault in faults]

    assert not wrong, "\n".join(wrong)


def _wrong_for(visitor: str, client: Client, objects: RouteObjects) -> Iterator[str]:
    for route, permission in permissions_to_try(visitor):
        url = objects.url(route)
        looked = client.get(url, {"q": secret_letter.SOUGHT})
        about = {
            "is_stranger": visitor == "stranger",
            "is_public": "stranger" in permission.admits,
        }
        yield from headers.faults(looked, route, **about)
        # Reads the whole response, which closes the files that are sent.
        shows_a_body = secret_letter.is_in(looked)
        if visitor in permission.admits:
            if not is_admitted(looked, url, visitor, permission):
                yield f"{route} is refused: {looked.status_code}"
            if visitor in visitors.STAFF and shows_a_body:
                yield f"{route} shows staff the body of a message"
        elif not is_refused(looked, url, visitor):
            yield f"{route} is open: {looked.status_code}"
        elif visitor not in visitors.OUTSIDE:
            acted = client.post(url)
            yield from headers.faults(acted, route, **about)
            if not is_refused(acted, url, visitor):
                yield f"{route} accepts a POST: {acted.status_code}"
