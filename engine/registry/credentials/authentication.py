"""Authenticates connections, people and API keys by their generated secrets.

SMTP and POP3 authenticate here when a session begins, and ask again whether the
credential is still valid while it goes on. The API asks once for each request.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from django.db.models import Q, QuerySet
from django.utils import timezone

from engine.mail.address import Address, InvalidAddressError
from engine.registry.credentials import scram_keys
from engine.registry.credentials.account_recovery import mail_access_filter
from engine.registry.credentials.generated_secrets import digests, rekey
from engine.registry.credentials.sign_in_tally import SignInMethod, tally
from engine.registry.credentials.sign_in_throttle import Throttle
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

NAME_LENGTH = 100  # of ConnectionCredential.username
# All user names that cannot exist are throttled as one, so that random names do not
# fill the throttle's memory.
IMPOSSIBLE_NAME = ""

# Mail clients sign in every few seconds: a write for each would cost more than the poll.
USE_INTERVAL = timedelta(minutes=1)

# A telephone's networks, a home's and an office's; older ones are forgotten.
NETWORKS_KEPT = 5

throttle = Throttle()


def authenticate_connection(
    username: str, secret: str, *, peer: str = ""
) -> Connection | None:
    """Returns the active connection that the credential proves, or None.

    Its organisation must be active too. `peer` is the client's IP address. Raises
    TooManyAttemptsError (454 4.7.0).
    """
    name = _name_of(username)
    was_known = partial(_was_known_to_connection, name)
    with throttle.attempt(name, peer, was_known=was_known) as attempt:
        credential = _find_credential(name, secret)
        if credential is None:
            return None
        attempt.succeeded()
    rekey(credential, secret)
    _record_network(credential, peer)
    return credential.connection


def authenticate_person(
    address: str,
    secret: str,
    *,
    peer: str = "",
    method: SignInMethod = SignInMethod.POP3,
) -> Person | None:
    """Returns the active person whose app password this is, or None.

    The password for the website is never accepted: mail clients store what they are
    given, and it would bypass the second factor. The address is the person's own, or
    that of a group mailbox that they may read. `peer` is the client's IP address, and
    `method` what the audit trail counts the attempt under.
    Raises TooManyAttemptsError (454 4.7.0).
    """
    key = key_of(address)
    was_known = partial(was_known_to_person, key)
    with throttle.attempt(key, peer, was_known=was_known) as attempt:
        found = _find_app_password(key, secret)
        if found is None:
            tally.failed(key, method, peer=peer)
            return None
        attempt.succeeded()
    rekey(found, secret)
    scram_keys.learn(found, secret)
    record_sign_in(found, method, peer)
    return found.person


def connection_delay(username: str, *, peer: str) -> float:
    """Returns the seconds to wait before a connection's credential is checked.

    They grow with each wrong one; see `Throttle.delay`. Reads no database, so that the
    caller can wait without holding a thread.
    """
    return throttle.delay(_name_of(username), peer)


def person_delay(address: str, *, peer: str) -> float:
    """Returns what `connection_delay` does, before an app password is checked."""
    return throttle.delay(key_of(address), peer)


def is_connection_credential_valid(digests: tuple[str, ...]) -> bool:
    """Returns True while the credential with one of these digests is not revoked.

    A session remembers all digests of the secret that opened it, because another host
    may rekey the row meanwhile.
    """
    live = ConnectionCredential.objects.filter(digest__in=digests, revoked_at=None)
    return live.exists()


def is_app_password_valid(used: int | tuple[str, ...], *, generation: int) -> bool:
    """Returns True while a mail session that an app password opened may go on.

    `used` is the app password's id, or the digests of the secret that was given, one of
    which its row has.

    It must end when the app password is revoked or expires, a recovery shuts the
    mailbox, the person or their organisation is suspended, or the person's sessions are
    ended. `generation` is the person's `session_generation` when the session began.
    """
    its_own = {"pk": used} if isinstance(used, int) else {"digest__in": used}
    live = AppPassword.objects.live().filter(
        mail_access_filter(),
        **its_own,
        person__is_active=True,
        person__organisation__status=OrganisationStatus.ACTIVE,
        person__session_generation=generation,
    )
    return live.exists()


def authenticate_api_key(
    secret: str,
    *,
    peer: str = "",
    client_id: str | None = None,
    is_recorded: bool = True,
) -> ApiKey | None:
    """Returns the valid key with this secret, or None. `peer` is the client's IP address.

    Where a `client_id` is given, it must be the key's. A look ahead, before the request is
    authenticated, is not recorded, so that each request counts once.

    Failures are not throttled: 140 bits cannot be guessed, and counting them would let
    anyone behind the same address lock out a system that holds a good key.
    """
    found = ApiKey.objects.filter(digest__in=digests(secret))
    live = ApiKey.objects.live().select_related("organisation", "made_by")
    key = live.filter(digest__in=digests(secret)).first()
    if key is not None and client_id in (None, key.client_id):
        rekey(key, secret)
        if is_recorded:
            record_api_key_use(key, peer=peer)
        return key
    if is_recorded and (refused := found.first()) is not None:
        tally.refused(refused, SignInMethod.API, peer=peer)
    return None


def record_api_key_use(key: ApiKey, *, peer: str = "") -> None:
    """Records that a key was used: when, to the minute, and for the audit trail."""
    tally.signed_in(key, SignInMethod.API, peer=peer)
    now = timezone.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_INTERVAL)
    ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)


def _name_of(username: str) -> str:
    """The user name under which a connection's attempts are counted."""
    name = username.strip().casefold()
    return name if name.isprintable() and len(name) <= NAME_LENGTH else IMPOSSIBLE_NAME


def key_of(address: str) -> str:
    """Returns the key of the address under which a person's attempts are counted."""
    try:
        return Address.parse(address.strip()).key
    except InvalidAddressError:
        return IMPOSSIBLE_NAME


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
    return app_passwords_of(key).filter(digest__in=digests(secret)).first()


def app_passwords_of(key: str) -> QuerySet[AppPassword]:
    """Returns the app passwords that sign in with an address, with their people."""
    return (
        AppPassword.objects.live()
        .select_related("person__organisation")
        .filter(
            mail_access_filter(),
            _signs_in_as(key),
            person__is_active=True,
            person__organisation__status=OrganisationStatus.ACTIVE,
        )
    )


def _signs_in_as(key: str) -> Q:
    """Matches app passwords of the people who may sign in with that address."""
    return Q(person__address=key) | Q(
        person__grants__mailbox__address=key,
        person__grants__mailbox__is_active=True,
        person__grants__can_read=True,
    )


def record_sign_in(found: AppPassword, method: SignInMethod, peer: str) -> None:
    """Records that an app password was used: when, from where, and for the audit trail."""
    _record_app_password_use(found)
    _record_network(found, peer)
    tally.signed_in(found.person, method, peer=peer)


def _record_app_password_use(found: AppPassword) -> None:
    now = timezone.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_INTERVAL)
    AppPassword.objects.filter(stale, pk=found.pk).update(last_used_at=now)


def _record_network(found: AppPassword | ConnectionCredential, peer: str) -> None:
    """Records the client's network, which the throttle then tells from strangers'.

    It is stored rather than only remembered so that a restart locks nobody out.
    """
    network = network_of(peer)
    if not network or network in found.known_networks:
        return
    found.known_networks = [*found.known_networks, network][-NETWORKS_KEPT:]
    found.save(update_fields=["known_networks"])


def was_known_to_person(key: str, network: str) -> bool:
    """Returns whether someone has signed in under the key from the network before."""
    live = AppPassword.objects.live().filter(_signs_in_as(key))
    return any(network in one for one in live.values_list("known_networks", flat=True))


def _was_known_to_connection(name: str, network: str) -> bool:
    live = ConnectionCredential.objects.filter(username=name, revoked_at=None)
    return any(network in one for one in live.values_list("known_networks", flat=True))
