"""Generated secrets, and whom they belong to. Asked by SMTP and POP3."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from engine.mail.address import Address, InvalidAddressError
from engine.registry.models import (
    ApiKey,
    AppPassword,
    Connection,
    ConnectionCredential,
    OrganisationStatus,
    Person,
    Proof,
)
from engine.registry.recovery import opens_mail
from engine.registry.throttle import Throttle

# Crockford's base 32: no letter that is taken for a digit.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
GROUPS, GROUP_LENGTH = 7, 4  # 28 letters of 5 bits: 140 bits
MISREAD = str.maketrans("oil", "011", "- \t")

NAME_LENGTH = 100  # of ConnectionCredential.username
NOBODY = ""  # what stands for names that nobody can have

# How exact `last_used_at` is: mail clients sign in every few seconds.
USE_INTERVAL = timedelta(minutes=1)

throttle = Throttle()


def new_secret() -> str:
    """A secret of 140 bits in groups that can be read out: `k7qd-3m9x-…`."""
    groups = [
        "".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH))
        for _ in range(GROUPS)
    ]
    return "-".join(groups)


def digest(secret: str) -> str:
    """What is kept of a secret: SHA-256 keyed with ours.

    Case, spaces, hyphens and the usual misreadings (o for 0) make no difference.
    """
    plain = secret.lower().translate(MISREAD)
    return salted_hmac(
        "engine.registry.credentials", plain, algorithm="sha256"
    ).hexdigest()


def find_connection(username: str, secret: str, *, peer: str = "") -> Connection | None:
    """The active connection of an active organisation that this credential proves.

    `peer` is the address of whoever asks. Raises TooManyAttemptsError (454 4.7.0).
    """
    name = username.strip().casefold()
    name = name if name.isprintable() and len(name) <= NAME_LENGTH else NOBODY
    throttle.check(name, peer)
    credential = (
        ConnectionCredential.objects.select_related("connection__organisation")
        .filter(
            username=name,
            digest=digest(secret),
            revoked_at=None,
            connection__proof=Proof.CREDENTIAL,
            connection__is_active=True,
            connection__organisation__status=OrganisationStatus.ACTIVE,
        )
        .first()
    )
    if credential is None:
        throttle.failed(name, peer)
        return None
    throttle.succeeded(name, peer)
    return credential.connection


def find_person(address: str, secret: str, *, peer: str = "") -> Person | None:
    """The active person whose app password this is; a sign-in password never is one.

    The address is the person's own, or that of a group mailbox that they may read.
    `peer` is the address of whoever asks. Raises TooManyAttemptsError (454 4.7.0).
    """
    try:
        key = Address.parse(address.strip()).key
    except InvalidAddressError:
        key = NOBODY
    throttle.check(key, peer)
    found = _find_app_password(key, secret)
    if found is None:
        throttle.failed(key, peer)
        return None
    throttle.succeeded(key, peer)
    _note_use(found)
    return found.person


def still_proves_connection(digest: str) -> bool:
    """True while the credential with that digest is not revoked."""
    live = ConnectionCredential.objects.filter(digest=digest, revoked_at=None)
    return live.exists()


def still_proves_person(digest: str) -> bool:
    """True while the app password with that digest opens its owner's mail."""
    return AppPassword.objects.filter(_in_force(), digest=digest).exists()


def _in_force() -> Q:
    """App passwords that are neither revoked nor expired, nor shut by a recovery."""
    lasts = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    return Q(revoked_at=None) & lasts & opens_mail()


def _find_app_password(key: str, secret: str) -> AppPassword | None:
    return (
        AppPassword.objects.select_related("person__organisation")
        .filter(
            _in_force(),
            _goes_by(key),
            person__is_active=True,
            person__organisation__status=OrganisationStatus.ACTIVE,
            digest=digest(secret),
        )
        .first()
    )


def _goes_by(key: str) -> Q:
    """App passwords of whoever may sign in under that name."""
    return Q(person__address=key) | Q(
        person__grants__mailbox__address=key,
        person__grants__mailbox__is_active=True,
        person__grants__can_read=True,
    )


def _note_use(found: AppPassword) -> None:
    now = timezone.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_INTERVAL)
    AppPassword.objects.filter(stale, pk=found.pk).update(last_used_at=now)


def find_api_key(secret: str) -> ApiKey | None:
    """The live key with this secret.

    Wrong ones are not counted: nobody guesses 128 bits, and whoever holds a key is not
    shut out by what others send from the same address.
    """
    key = (
        ApiKey.objects.live()
        .select_related("organisation", "made_by")
        .filter(digest=digest(secret))
        .first()
    )
    if key is not None:
        note_use(key)
    return key


def note_use(key: ApiKey) -> None:
    """Remember, to the minute, that a key was used."""
    now = timezone.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_INTERVAL)
    ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)
