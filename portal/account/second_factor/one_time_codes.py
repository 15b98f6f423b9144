"""One-time codes, each accepted only once (RFC 6238 §5.2).

allauth 65.21 remembers an accepted code for 30 seconds, in the cache. With a tolerance of
one step either way a code is valid for 90 seconds, so that it was accepted twice; and a
cache that was emptied forgot it. Here the database remembers, for all processes.
"""

from __future__ import annotations

import logging

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt
from django.utils import timezone

from engine.registry.models import Person
from engine.secrets import secret_keys
from portal.account.models import LastCode
from portal.account.second_factor import sealed_secrets

log = logging.getLogger(__name__)

# Kept digests depend on it: it does not follow the module.
SALT = "portal.account.codes"
NONE_YET = -1


def authenticator_of(person: Person, code: str) -> Authenticator | None:
    """Returns the authenticator that a code belongs to, and uses the code up."""
    typed = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
    for found in Authenticator.objects.filter(user=person, type__in=typed):
        try:
            if _accept(found, code):
                return found
        except secret_keys.UnknownKeyError:
            # Sealed with a lost key: the person's other authenticators still work.
            log.exception("authenticator %s of person %s", found.pk, person.pk)
    return None


def _accept(authenticator: Authenticator, code: str) -> bool:
    if authenticator.type == Authenticator.Type.TOTP:
        is_right = accept(decrypt(authenticator.data["secret"]), code)
    else:
        # allauth locks the row, and marks the code in it as used.
        is_right = bool(authenticator.wrap().validate_code(code))
    if is_right:
        sealed_secrets.reseal(authenticator)
    return is_right


def accept(secret: str, code: str) -> bool:
    """Returns True for a current code, the first time it is used.

    `secret` is in base 32.
    """
    counter = _counter_of(secret, code)
    return counter is not None and claim(secret, counter)


def accept_signature(passkey: Authenticator, count: int) -> bool:
    """Returns False where a passkey has signed with this count, or a higher one, before.

    That shows a cloned key (WebAuthn level 2 §6.1.1). Many passkeys do not count and
    always send 0; one that has counted before must not send 0.
    """
    name = name_of(passkey)
    if count:
        return claim(name, count)
    known_as = secret_keys.macs(SALT, name)
    counted = LastCode.objects.filter(secret_digest__in=known_as, counter__gt=0)
    return not counted.exists()


def name_of(passkey: Authenticator) -> str:
    """Returns the name under which a passkey's counts are stored. It is not secret."""
    return f"passkey {passkey.pk}"


def claim(secret: str, counter: int) -> bool:
    """Records a counter as accepted; returns False unless it is higher than all before.

    Of two processes at the same moment one gets True: the condition is in the UPDATE.
    """
    rekey(secret)
    key = secret_keys.mac(SALT, secret)
    now = timezone.now()
    LastCode.objects.bulk_create(
        [LastCode(secret_digest=key, counter=NONE_YET, accepted_at=now)],
        ignore_conflicts=True,
    )
    earlier = LastCode.objects.filter(secret_digest=key, counter__lt=counter)
    return bool(earlier.update(counter=counter, accepted_at=now))


def rekey(secret: str) -> None:
    """Moves the record of a secret to a digest made with the current secret key."""
    key, *earlier_keys = secret_keys.macs(SALT, secret)
    for earlier_key in earlier_keys:
        _rekey(earlier_key, key)


def _rekey(earlier_key: str, key: str) -> None:
    """Carries the last counter over, so that no code becomes valid again."""
    for row in LastCode.objects.filter(secret_digest=earlier_key):
        LastCode.objects.bulk_create(
            [LastCode(secret_digest=key, counter=NONE_YET, accepted_at=timezone.now())],
            ignore_conflicts=True,
        )
        behind = LastCode.objects.filter(secret_digest=key, counter__lt=row.counter)
        behind.update(counter=row.counter, accepted_at=row.accepted_at)
        row.delete()


def _counter_of(secret: str, code: str) -> int | None:
    """Returns the current counter that produces this code; None where none does."""
    for counter in totp.yield_hotp_counters_from_time():
        expected = totp.format_hotp_value(totp.hotp_value(secret, counter))
        if compare_user_code(actual=code, expected=expected):
            return int(counter)
    return None
