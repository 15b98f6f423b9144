"""One-time codes, each accepted once: RFC 6238 §5.2.

allauth (65.21) remembers an accepted code for 30 seconds, in the cache. With a tolerance
of one step either way a code is good for 90, so it was accepted again; a cache that was
emptied forgot it at once. Here the database remembers, whatever process asks it.
"""

from __future__ import annotations

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt
from django.utils import timezone
from django.utils.crypto import salted_hmac

from engine.registry.models import Person
from portal.account.models import LastCode

SALT = "portal.account.codes"
NONE_YET = -1


def authenticator_of(person: Person, code: str) -> Authenticator | None:
    """The app or recovery codes of the person that the code is from; it is used up."""
    typed = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
    for found in Authenticator.objects.filter(user=person, type__in=typed):
        if _accept(found, code):
            return found
    return None


def _accept(authenticator: Authenticator, code: str) -> bool:
    if authenticator.type == Authenticator.Type.TOTP:
        return accept(decrypt(authenticator.data["secret"]), code)
    # Locks its row, and marks the code as used in it.
    return bool(authenticator.wrap().validate_code(code))


def accept(secret: str, code: str) -> bool:
    """True for a code of now, of the secret in base 32, the first time it is asked."""
    counter = _counter_of(secret, code)
    return counter is not None and claim(secret, counter)


def accept_signature(passkey: Authenticator, count: int) -> bool:
    """False where a passkey has signed with this count, or a later one, before.

    WebAuthn level 2, §6.1.1: that shows a copy of it. Many passkeys count nothing and
    say 0 each time; one that has ever counted may not begin to say so.
    """
    name = f"passkey {passkey.pk}"
    if count:
        return claim(name, count)
    counted = LastCode.objects.filter(secret_digest=_key_of(name), counter__gt=0)
    return not counted.exists()


def claim(secret: str, counter: int) -> bool:
    """Remember a counter as accepted; False unless it is later than all before.

    Of two processes that ask at once, one gets True: the condition stands in the UPDATE.
    """
    key = _key_of(secret)
    now = timezone.now()
    LastCode.objects.bulk_create(
        [LastCode(secret_digest=key, counter=NONE_YET, accepted_at=now)],
        ignore_conflicts=True,
    )
    earlier = LastCode.objects.filter(secret_digest=key, counter__lt=counter)
    return bool(earlier.update(counter=counter, accepted_at=now))


def _key_of(secret: str) -> str:
    return salted_hmac(SALT, secret, algorithm="sha256").hexdigest()


def _counter_of(secret: str, code: str) -> int | None:
    """Which of the counters that are good now makes this code."""
    for counter in totp.yield_hotp_counters_from_time():
        expected = totp.format_hotp_value(totp.hotp_value(secret, counter))
        if compare_user_code(actual=code, expected=expected):
            return int(counter)
    return None
