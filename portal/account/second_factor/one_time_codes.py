"""One-time codes, each accepted once: RFC 6238 §5.2.

allauth (65.21) remembers an accepted code for 30 seconds, in the cache. With a tolerance
of one step either way a code is good for 90, so it was accepted again; a cache that was
emptied forgot it at once. Here the database remembers, whatever process asks it.
"""

from __future__ import annotations

import logging

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt
from django.utils import timezone

from engine import keys
from engine.registry.models import Person
from portal.account.models import LastCode
from portal.account.second_factor import sealed_secrets

log = logging.getLogger(__name__)

SALT = "portal.account.second_factor.one_time_codes"
NONE_YET = -1


def authenticator_of(person: Person, code: str) -> Authenticator | None:
    """The app or recovery codes of the person that the code is from; it is used up."""
    typed = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
    for found in Authenticator.objects.filter(user=person, type__in=typed):
        try:
            if _accept(found, code):
                return found
        except keys.UnknownKeyError:
            # One that no code can be compared with leaves the others as they are.
            log.exception("authenticator %s of person %s", found.pk, person.pk)
    return None


def _accept(authenticator: Authenticator, code: str) -> bool:
    if authenticator.type == Authenticator.Type.TOTP:
        is_right = accept(decrypt(authenticator.data["secret"]), code)
    else:
        # Locks its row, and marks the code as used in it.
        is_right = bool(authenticator.wrap().validate_code(code))
    if is_right:
        sealed_secrets.reseal(authenticator)
    return is_right


def accept(secret: str, code: str) -> bool:
    """True for a code of now, of the secret in base 32, the first time it is asked."""
    counter = _counter_of(secret, code)
    return counter is not None and claim(secret, counter)


def accept_signature(passkey: Authenticator, count: int) -> bool:
    """False where a passkey has signed with this count, or a later one, before.

    WebAuthn level 2, §6.1.1: that shows a copy of it. Many passkeys count nothing and
    say 0 each time; one that has ever counted may not begin to say so.
    """
    name = name_of(passkey)
    if count:
        return claim(name, count)
    known_as = keys.macs(SALT, name)
    counted = LastCode.objects.filter(secret_digest__in=known_as, counter__gt=0)
    return not counted.exists()


def name_of(passkey: Authenticator) -> str:
    """What the counts of a passkey are kept by: its own key is nothing secret."""
    return f"passkey {passkey.pk}"


def claim(secret: str, counter: int) -> bool:
    """Remember a counter as accepted; False unless it is later than all before.

    Of two processes that ask at once, one gets True: the condition stands in the UPDATE.
    """
    rekey(secret)
    key = keys.mac(SALT, secret)
    now = timezone.now()
    LastCode.objects.bulk_create(
        [LastCode(secret_digest=key, counter=NONE_YET, accepted_at=now)],
        ignore_conflicts=True,
    )
    earlier = LastCode.objects.filter(secret_digest=key, counter__lt=counter)
    return bool(earlier.update(counter=counter, accepted_at=now))


def rekey(secret: str) -> None:
    """Remember what was accepted of a secret under the secret key of now."""
    key, *earlier_keys = keys.macs(SALT, secret)
    for earlier_key in earlier_keys:
        _rekey(earlier_key, key)


def _rekey(earlier_key: str, key: str) -> None:
    """Codes that were accepted before the secret key changed are accepted no more."""
    for row in LastCode.objects.filter(secret_digest=earlier_key):
        LastCode.objects.bulk_create(
            [LastCode(secret_digest=key, counter=NONE_YET, accepted_at=timezone.now())],
            ignore_conflicts=True,
        )
        behind = LastCode.objects.filter(secret_digest=key, counter__lt=row.counter)
        behind.update(counter=row.counter, accepted_at=row.accepted_at)
        row.delete()


def _counter_of(secret: str, code: str) -> int | None:
    """Which of the counters that are good now makes this code."""
    for counter in totp.yield_hotp_counters_from_time():
        expected = totp.format_hotp_value(totp.hotp_value(secret, counter))
        if compare_user_code(actual=code, expected=expected):
            return int(counter)
    return None
