"""Signed links, whose tokens are not stored: letters, first sign-in, refusals.

A letter link leads to the connection's secret, expires, and ends with the first
download. A first sign-in link signs a digest of the account's state, so that choosing a
password invalidates it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.core import signing
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from engine.registry.models import Person, RecoveryAddressChange
from engine.secrets import secret_keys
from onboarding.models import Letter

LETTER_SALT = "onboarding.letter"
FIRST_SIGN_IN_SALT = "onboarding.first_sign_in"
STATE_LENGTH = 32  # hexadecimal digits: 128 bits
SIGN_IN_CLAIM_SALT = "onboarding.sign_in_claim"
SIGN_IN_CLAIM_LIFETIME = timedelta(days=1)
FACTOR_RESET_SALT = "onboarding.factor_reset"
ADDRESS_CHANGE_SALT = "onboarding.address_change"
LETTER_LIFETIME = timedelta(days=14)
FIRST_SIGN_IN_LIFETIME = timedelta(days=7)

M = TypeVar("M", bound=Model)


class ExpiredLinkError(Exception):
    """Raised for a genuine link that has expired or been used."""


class ForgedLinkError(Exception):
    """Raised for a link that is not genuine, or was damaged on its way."""


@dataclass(frozen=True, slots=True)
class FirstSignIn:
    """A genuine first sign-in link: its person, its age, and whether it still works."""

    person: Person
    is_live: bool
    made_at: datetime


def absolute_url(name: str, *tokens: str) -> str:
    """Returns the absolute URL of a page, for a letter or a notice."""
    return settings.POSTERN.site_url + reverse(name, args=tokens)


def letter_token(letter: Letter) -> str:
    """Returns a token for downloading a letter once."""
    return signing.dumps(letter.pk, salt=LETTER_SALT)


def linked_letter(token: str) -> Letter:
    """Returns a letter by its token. Raises ForgedLinkError or ExpiredLinkError."""
    letter = _get(Letter, _load(token, LETTER_SALT, LETTER_LIFETIME))
    if letter.downloaded_at is not None or not letter.is_readable:
        raise ExpiredLinkError
    return letter


def first_sign_in_token(person: Person) -> str:
    """Returns a token for choosing the first password."""
    state = secret_keys.mac(FIRST_SIGN_IN_SALT, _facts_of(person))[:STATE_LENGTH]
    return signing.dumps([person.pk, state], salt=FIRST_SIGN_IN_SALT)


def first_sign_in(token: str) -> FirstSignIn:
    """Reads a first sign-in token, even if it has expired or been used.

    An expired token still identifies its person, so that another link can be sent.
    Raises ForgedLinkError.
    """
    # Without a lifetime, because an expired token must still identify its person.
    pk, state = _load(token, FIRST_SIGN_IN_SALT)
    person = _get(Person, pk)
    made_at = _made_at(token)
    is_live = timezone.now() - made_at < FIRST_SIGN_IN_LIFETIME
    is_theirs = secret_keys.is_mac(
        state, FIRST_SIGN_IN_SALT, _facts_of(person), length=STATE_LENGTH
    )
    return FirstSignIn(person, is_live=is_live and is_theirs, made_at=made_at)


def sign_in_claim_token(address: str) -> str:
    """Returns a token for claiming a directory sign-in for a mailbox without an account."""
    return signing.dumps(address, salt=SIGN_IN_CLAIM_SALT)


def sign_in_claim(token: str) -> str:
    """Returns the proved address. Raises ForgedLinkError or ExpiredLinkError."""
    return str(_load(token, SIGN_IN_CLAIM_SALT, SIGN_IN_CLAIM_LIFETIME))


def address_change_token(change_id: int) -> str:
    """Returns a token for refusing a change of an everyday address."""
    return signing.dumps(change_id, salt=ADDRESS_CHANGE_SALT)


def address_change(token: str) -> RecoveryAddressChange:
    """Returns the change that the token refuses. Raises ForgedLinkError."""
    return _get(RecoveryAddressChange, _load(token, ADDRESS_CHANGE_SALT))


def factor_reset_token(reset_id: int) -> str:
    """Returns a token for refusing or disowning a reset of one's second factor."""
    return signing.dumps(reset_id, salt=FACTOR_RESET_SALT)


def factor_reset(token: str) -> int:
    """Returns the id of the reset that the token is about. Raises ForgedLinkError."""
    return int(_load(token, FACTOR_RESET_SALT))


def _facts_of(person: Person) -> str:
    # Includes the everyday address: changing it invalidates links sent to the old one.
    return (
        f"{person.pk} {person.password} {person.last_login} {person.everyday_address}"
    )


def _load(token: str, salt: str, lifetime: timedelta | None = None) -> Any:
    try:
        return signing.loads(token, salt=salt, max_age=lifetime)
    except signing.SignatureExpired as expired:
        raise ExpiredLinkError from expired
    except signing.BadSignature as bad:
        raise ForgedLinkError from bad


def _made_at(token: str) -> datetime:
    """Returns when a verified token was signed. Its form is `payload:time:signature`."""
    return datetime.fromtimestamp(signing.b62_decode(token.split(":")[1]), UTC)


def _get(model: type[M], pk: int) -> M:
    found = model._default_manager.filter(pk=pk).first()
    if found is None:
        raise ForgedLinkError
    return found
