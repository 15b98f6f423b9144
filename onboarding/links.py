"""Links that prove themselves: signed, never stored.

A letter link leads to the connection's secret, expires, and ends with the first
download. A first sign-in link signs the person's own state, so using it ends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.core import signing
from django.db.models import Model
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from engine.registry.models import Person
from onboarding.models import Letter

LETTER_SALT = "onboarding.letter"
FIRST_SIGN_IN_SALT = "onboarding.first_sign_in"
SIGN_IN_CLAIM_SALT = "onboarding.sign_in_claim"
SIGN_IN_CLAIM_LIFETIME = timedelta(days=1)
LETTER_LIFETIME = timedelta(days=14)
FIRST_SIGN_IN_LIFETIME = timedelta(days=7)

M = TypeVar("M", bound=Model)


class ExpiredLinkError(Exception):
    """The link was ours and is too old, or has been used."""


class ForgedLinkError(Exception):
    """The link was never ours, or was broken on the way."""


@dataclass(frozen=True, slots=True)
class FirstSignIn:
    """Whose link it is, and whether it still opens anything."""

    person: Person
    is_live: bool


def absolute(name: str, *tokens: str) -> str:
    """The whole address of a page, for a letter or a notice."""
    return settings.POSTERN.site_url + reverse(name, args=tokens)


def letter_token(letter: Letter) -> str:
    return signing.dumps(letter.pk, salt=LETTER_SALT)


def linked_letter(token: str) -> Letter:
    """Raises ForgedLinkError or ExpiredLinkError."""
    letter = _get(Letter, _load(token, LETTER_SALT, LETTER_LIFETIME))
    if letter.downloaded_at is not None or not letter.is_readable:
        raise ExpiredLinkError
    return letter


def first_sign_in_token(person: Person) -> str:
    return signing.dumps([person.pk, _state_of(person)], salt=FIRST_SIGN_IN_SALT)


def first_sign_in(token: str) -> FirstSignIn:
    """Whose link this is. Raises ForgedLinkError.

    One that is old or used still says whose it was, so that another can be sent.
    """
    pk, state = _load(token, FIRST_SIGN_IN_SALT)
    person = _get(Person, pk)
    try:
        _load(token, FIRST_SIGN_IN_SALT, FIRST_SIGN_IN_LIFETIME)
    except ExpiredLinkError:
        return FirstSignIn(person, is_live=False)
    return FirstSignIn(person, is_live=constant_time_compare(state, _state_of(person)))


def sign_in_claim_token(address: str) -> str:
    """For whoever reads the mailbox of an address that is nobody's here yet."""
    return signing.dumps(address, salt=SIGN_IN_CLAIM_SALT)


def sign_in_claim(token: str) -> str:
    """The address that was proved. Raises ForgedLinkError or ExpiredLinkError."""
    return str(_load(token, SIGN_IN_CLAIM_SALT, SIGN_IN_CLAIM_LIFETIME))


def _state_of(person: Person) -> str:
    facts = f"{person.pk} {person.password} {person.last_login}"
    return salted_hmac(FIRST_SIGN_IN_SALT, facts, algorithm="sha256").hexdigest()[:32]


def _load(token: str, salt: str, lifetime: timedelta | None = None) -> Any:
    try:
        return signing.loads(token, salt=salt, max_age=lifetime)
    except signing.SignatureExpired as expired:
        raise ExpiredLinkError from expired
    except signing.BadSignature as bad:
        raise ForgedLinkError from bad


def _get(model: type[M], pk: int) -> M:
    found = model._default_manager.filter(pk=pk).first()
    if found is None:
        raise ForgedLinkError
    return found
