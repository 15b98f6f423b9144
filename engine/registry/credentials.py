"""Generated secrets, and whom they belong to. Asked by SMTP and POP3."""

from __future__ import annotations

import secrets
from datetime import timedelta
from functools import partial

from django.db.models import Q
from django.utils import timezone

from engine import keys
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
from engine.registry.networks import network_of
from engine.registry.recovery import opens_mail
from engine.registry.throttle import Throttle

SALT = "engine.registry.credentials"

# Crockford's base 32: no letter that is taken for a digit.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
GROUPS, GROUP_LENGTH = 7, 4  # 28 letters of 5 bits: 140 bits
MISREAD = str.maketrans("oil", "011", "- \t")

NAME_LENGTH = 100  # of ConnectionCredential.username
NOBODY = ""  # what stands for names that nobody can have

# How exact `last_used_at` is: mail clients sign in every few seconds.
USE_INTERVAL = timedelta(minutes=1)

# A telephone's networks, a home's and an office's; older ones are forgotten.
NETWORKS_KEPT = 5

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
    return digests(secret)[0]


def digests(secret: str) -> tuple[str, ...]:
    """The same under the secret key and each before it: what a secret is found by."""
    return tuple(keys.macs(SALT, secret.lower().translate(MISREAD)))


def rekey(found: ConnectionCredential | AppPassword | ApiKey, secret: str) -> None:
    """Keep the digest of a secret that was proved under the key of now.

    While the key is changed, hosts that have exchanged the two keys already and hosts
    that have not key a row to and fro. That is harmless: both know both keys, look for
    either digest, and keep either with their open sessions. A host that does not know the
    new key yet finds no such row, which is why it must be told of it first.
    """
    if found.keyed_by == keys.name():
        return
    found.digest, found.keyed_by = digest(secret), keys.name()
    found.save(update_fields=["digest", "keyed_by"])


def find_connection(username: str, secret: str, *, peer: str = "") -> Connection | None:
    """The active connection of an active organisation that this credential proves.

    `peer` is the address of whoever asks. Raises TooManyAttemptsError (454 4.7.0).
    """
    name = username.strip().casefold()
    name = name if name.isprintable() and len(name) <= NAME_LENGTH else NOBODY
    was_known = partial(_was_known_to_connection, name)
    with throttle.attempt(name, peer, was_known=was_known) as attempt:
        credential = _find_credential(name, secret)
        if credential is None:
            return None
        attempt.succeeded()
    rekey(credential, secret)
    _note_network(credential, peer)
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
    was_known = partial(_was_known_to_person, key)
    with throttle.attempt(key, peer, was_known=was_known) as attempt:
        found = _find_app_password(key, secret)
        if found is None:
            return None
        attempt.succeeded()
    rekey(found, secret)
    _note_use(found)
    _note_network(found, peer)
    return found.person


def still_proves_connection(digests: tuple[str, ...]) -> bool:
    """True while the credential with one of those digests is not revoked.

    Another host may key it again meanwhile, with a secret key that both know.
    """
    live = ConnectionCredential.objects.filter(digest__in=digests, revoked_at=None)
    return live.exists()


def still_proves_person(digests: tuple[str, ...], *, generation: int) -> bool:
    """True while a mail session may go on that was opened with an app password.

    It may not once the app password is revoked or has expired, a recovery shut the
    mailbox, the person or the organisation is suspended, or their sessions were ended:
    `generation` is that of the person when the session began.
    """
    live = AppPassword.objects.live().filter(
        opens_mail(),
        digest__in=digests,
        person__is_active=True,
        person__organisation__status=OrganisationStatus.ACTIVE,
        person__session_generation=generation,
    )
    return live.exists()


def _find_credential(name: str, secret: str) -> ConnectionCredential | None:
    return (
        ConnectionCredential.objects.select_related("connection__organisation")
        .filter(
            username=name,
            digest__in=digests(secret),
            revoked_at=None,
            connection__proof=Proof.CREDENTIAL,
            connection__is_active=True,
            connection__organisation__status=OrganisationStatus.ACTIVE,
        )
        .first()
    )


def _find_app_password(key: str, secret: str) -> AppPassword | None:
    return (
        AppPassword.objects.live()
        .select_related("person__organisation")
        .filter(
            opens_mail(),
            _goes_by(key),
            person__is_active=True,
            person__organisation__status=OrganisationStatus.ACTIVE,
            digest__in=digests(secret),
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


def _note_network(found: AppPassword | ConnectionCredential, peer: str) -> None:
    """Remember from where it signed in, for when strangers fail in its name."""
    network = network_of(peer)
    if not network or network in found.known_networks:
        return
    found.known_networks = [*found.known_networks, network][-NETWORKS_KEPT:]
    found.save(update_fields=["known_networks"])


def _was_known_to_person(key: str, network: str) -> bool:
    live = AppPassword.objects.live().filter(_goes_by(key))
    return any(network in one for one in live.values_list("known_networks", flat=True))


def _was_known_to_connection(name: str, network: str) -> bool:
    live = ConnectionCredential.objects.filter(username=name, revoked_at=None)
    return any(network in one for one in live.values_list("known_networks", flat=True))


def find_api_key(secret: str) -> ApiKey | None:
    """The live key with this secret.

    Wrong ones are not counted: nobody guesses 128 bits, and whoever holds a key is not
    shut out by what others send from the same address.
    """
    key = (
        ApiKey.objects.live()
        .select_related("organisation", "made_by")
        .filter(digest__in=digests(secret))
        .first()
    )
    if key is not None:
        rekey(key, secret)
        note_use(key)
    return key


def note_use(key: ApiKey) -> None:
    """Remember, to the minute, that a key was used."""
    now = timezone.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_INTERVAL)
    ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)
