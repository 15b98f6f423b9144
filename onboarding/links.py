"""Links that prove themselves: signed, never stored.

A letter link leads to the connection's secret, expires, and ends with the first
download. A first sign-in link signs the person's own state, so using it ends it.
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

from engine import keys
from engine.registry.models import Person, RecoveryAddressChange
from onboarding.models import Letter

LETTER_SALT = "onboarding.letter"
FIRST_SIGN_IN_SALT = "onboarding.first_sign_in"
STATE_LENGTH = 32
SIGN_IN_CLAIM_SALT = "onboarding.sign_in_claim"
SIGN_IN_CLAIM_LIFETIME = timedelta(days=1)
FACTOR_RESET_SALT = "onboarding.factor_reset"
ADDRESS_CHANGE_SALT = "onboarding.address_change"
LETTER_LIFETIME = timedelta(days=14)
FIRST_SIGN_IN_LIFETIME = timedelta(days=7)

M = TypeVar("M", bound=Model)


class ExpiredLinkError(Exception):
    """The link was ours and is too old, or has been used."""


class ForgedLinkError(Exception):
    """The link was never ours, or was broken on the way."""


@dataclass(frozen=True, slots=True)
class FirstSignIn:
    """Whose link it is, when it was made, and whether it still opens anything."""

    person: Person
    is_live: bool
    made_at: datetime


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
    state = keys.mac(FIRST_SIGN_IN_SALT, _facts_of(person))[:STATE_LENGTH]
    return signing.dumps([person.pk, state], salt=FIRST_SIGN_IN_SALT)


def first_sign_in(token: str) -> FirstSignIn:
    """Whose link this is. Raises ForgedLinkError.

    One that is old or used still says whose it was, so that another can be sent.
    """
    pk, state = _load(token, FIRST_SIGN_IN_SALT)
    person = _get(Person, pk)
    made_at = _made_at(token)
    is_live = timezone.now() - made_at < FIRST_SIGN_IN_LIFETIME
    is_theirs = keys.is_mac(
        state, FIRST_SIGN_IN_SALT, _facts_of(person), length=STATE_LENGTH
    )
    return FirstSignIn(person, is_live=is_live and is_theirs, made_at=made_at)


def sign_in_claim_token(address: str) -> str:
    """For whoever reads the mailbox of an address that is nobody's here yet."""
    return signing.dumps(address, salt=SIGN_IN_CLAIM_SALT)


def sign_in_claim(token: str) -> str:
    """The address that was proved. Raises ForgedLinkError or ExpiredLinkError."""
    return str(_load(token, SIGN_IN_CLAIM_SALT, SIGN_IN_CLAIM_LIFETIME))


def address_change_token(change_id: int) -> str:
    """With which the reader of a notice refuses a change of an everyday address."""
    return signing.dumps(change_id, salt=ADDRESS_CHANGE_SALT)


def address_change(token: str) -> RecoveryAddressChange:
    """The change that the link is about. Raises ForgedLinkError."""
    return _get(RecoveryAddressChange, _load(token, ADDRESS_CHANGE_SALT))


def factor_reset_token(reset_id: int) -> str:
    """With which the reader of a notice says no to a reset of their second factor."""
    return signing.dumps(reset_id, salt=FACTOR_RESET_SALT)


def factor_reset(token: str) -> int:
    """The id of the reset that the link is about. Raises ForgedLinkError."""
    return int(_load(token, FACTOR_RESET_SALT))


def _facts_of(person: Person) -> str:
    # With the address: a link that went to the one before ends when it changes.
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
    """When a token that was found to be ours was signed: `payload:time:signature`."""
    return datetime.fromtimestamp(signing.b62_decode(token.split(":")[1]), UTC)


def _get(model: type[M], pk: int) -> M:
    found = model._default_manager.filter(pk=pk).first()
    if found is None:
        raise ForgedLinkError
    return found
