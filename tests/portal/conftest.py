"""Signs people in without the pages, with or without a second factor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from secrets import token_hex
from typing import Any

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.internal.flows.login import (
    _AUTHENTICATION_METHODS_USER_SESSION_KEY as USER_KEY,
)
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.conf import settings
from django.contrib.auth import login
from django.core.cache import cache
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from engine.registry.models import Person
from portal.sessions.models import WebSession
from portal.sessions.store import SessionStore

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
SignIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    """Rate-limit counters must not carry over from one test to the next."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def signed_in(client: Client) -> SignIn:
    """Signs a person in without the pages; returns their client."""
    return partial(sign_in, client)


def sign_in(client: Client, person: Person, *, second_factor: bool = False) -> Client:
    """Signs a person in with this client, and returns it."""
    session = _session_of(client, person)
    records = [{"method": "password", "at": time.time()}]
    if second_factor:
        give_app(person)
        records.append({"method": "mfa", "type": "totp", "at": time.time()})
    session[AUTHENTICATION_METHODS_SESSION_KEY] = records
    session[USER_KEY] = str(person.pk)
    session.save()
    return client


def _session_of(client: Client, person: Person) -> SessionStore:
    """Begins a session of the person.

    A client that has one already ends it. For any other, Django's force_login() would
    first begin one of nobody, with half of all statements of signing in.
    """
    if settings.SESSION_COOKIE_NAME in client.cookies:
        client.force_login(person, BACKEND)
        return client.session
    request = HttpRequest()
    request.session = SessionStore()
    login(request, person, BACKEND)
    client.cookies[settings.SESSION_COOKIE_NAME] = request.session.session_key
    return request.session


def give_app(person: Person) -> None:
    """Sets up an authenticator app for the person, if there is none."""
    if not Authenticator.objects.filter(
        user=person, type=Authenticator.Type.TOTP
    ).exists():
        totp.TOTP.activate(person, SECRET)


def make_session(person: Person, **over: Any) -> WebSession:
    """Creates a row for a session of the person in another browser."""
    now = timezone.now()
    fields = {
        "session_key": token_hex(16),
        "expire_date": now + timedelta(hours=1),
        "person": person,
        "generation": person.session_generation,
        "public_id": token_hex(16),
        "opened_at": now,
        "seen_at": now,
        "peer": "198.51.100.7",
        "browser": "Firefox on Windows",
    }
    return WebSession.objects.create(**(fields | over))


def code_now() -> str:
    """Returns the code that the person's app shows now."""
    return code_of(SECRET)


def code_of(secret: str) -> str:
    return str(totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30)))
