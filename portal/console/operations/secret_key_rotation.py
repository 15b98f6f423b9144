"""Rotation of the secret key: what an earlier key still protects, and moving it over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core import signing
from django.utils import timezone

from engine.jobs import package_signing
from engine.registry.credentials import account_recovery, scram_keys
from engine.registry.models import (
    ApiKey,
    AppPassword,
    ConnectionCredential,
    Domain,
    WebhookEndpoint,
)
from engine.registry.webhooks import reseal as reseal_webhook
from engine.secrets import secret_keys
from engine.signing import keys as signing_keys
from engine.signing import mail_keys
from engine.signing.models import MailKey, SigningKey
from onboarding import signed_links
from onboarding.connecting.actions import LINK_LIFETIME
from onboarding.connecting.tasks import CLAIM_LIFETIME
from onboarding.models import LinkPurpose
from portal.account.second_factor import one_time_codes, sealed_secrets
from portal.account_admin.models import RESET_LIFETIME
from portal.sessions import known_browsers
from portal.sessions.models import WebSession
from portal.sessions.store import SessionStore

NAMES_SHOWN = 20
SEALED_ADVICE = (
    "This host does not know their key. Add it to the fallbacks, or make new ones."
)
SCRAM_ADVICE = (
    "This host does not know their key. Add it to the fallbacks, or have the mail program "
    "sign in by PLAIN once."
)
SIGNING_ADVICE = (
    "This host does not know their key. Add it to the fallbacks. A retired key signs "
    "nothing more; one in use can be replaced by rotate_signing_key."
)
MAIL_KEYS_ADVICE = (
    "This host does not know their key. Add it to the fallbacks: without it mail is not "
    "signed."
)
JOBS_ADVICE = (
    "This host does not know their key. Add it to the fallbacks, or dismiss the jobs "
    "under Failed jobs."
)


@dataclass
class Finding:
    """One kind of protected data: how many rows, and which depend on an earlier key."""

    what: str
    total: int = 0
    earlier: list[str] = field(default_factory=list)
    advice: str = ""

    @property
    def names(self) -> str:
        """The rows under an earlier key, shortened to NAMES_SHOWN."""
        return _shown(self.earlier)


@dataclass(frozen=True)
class Remnant:
    """Something issued under an earlier key that cannot be recalled."""

    what: str
    after: str
    """What happens to it once the earlier key is removed."""
    ends_in: timedelta | None = None
    """How long after the change the last of it expires; None if it never does."""


def rekey() -> list[Finding]:
    """Re-encrypts sealed data with the present key, and reports what still needs an old one.

    Of passwords and API keys only digests are stored: a digest under the present key can
    be computed when the secret is next used, and not before. Idempotent.
    """
    return [
        _sealed("Second factors", _reseal_factors()),
        _sealed("Secrets of webhooks", _reseal_webhooks()),
        _sealed("SCRAM keys of app passwords", _reseal_scram_keys(), SCRAM_ADVICE),
        _sealed("Signing keys", _reseal_signing_keys(), SIGNING_ADVICE),
        _sealed("DKIM keys", _reseal_mail_keys(), MAIL_KEYS_ADVICE),
        _sealed("Jobs", package_signing.resign(), JOBS_ADVICE),
        _digests(
            "Passwords of connections",
            ConnectionCredential.objects.filter(revoked_at=None),
            "They change when the member's server next signs in. Where one never does, "
            "have its administrator make another password.",
        ),
        _digests(
            "App passwords",
            AppPassword.objects.live().select_related("person"),
            "They change when the mail program next signs in by PLAIN. By SCRAM it sends no "
            "password, and goes on without the key; to sign in by PLAIN later, it needs a "
            "new app password.",
        ),
        _digests("API keys", ApiKey.objects.live(), "They change with the next call."),
        _sessions(),
    ]


def remnants() -> list[Remnant]:
    """Returns what others hold, so that it cannot be re-keyed; soonest expiry first."""
    claimed = Domain.objects.filter(verified_at=None).order_by("member_domain")
    names = list(claimed.values_list("member_domain", flat=True))
    return [
        Remnant(
            "Links that were mailed, and codes that were printed",
            "they stop working",
            longest_link(),
        ),
        Remnant(
            f"Records that domains were asked to publish ({_shown(names) or 'none now'})",
            "the record that their page then shows must be published instead",
            CLAIM_LIFETIME,
        ),
        Remnant(
            "Recognised browsers",
            "failed attempts by others can lock them out, until the next sign-in",
            known_browsers.LIFETIME,
        ),
        Remnant(
            "Reply addresses of the helpdesk's messages",
            "replies find their tickets by their References, or by the number in the "
            "subject",
        ),
        Remnant(
            "Records of verified domains",
            "the domains stay verified, and their pages say that the record is an "
            "older one",
        ),
        Remnant("Pagination cursors of the API", "clients begin the list again"),
    ]


def _shown(names: list[str]) -> str:
    more = len(names) - NAMES_SHOWN
    shown = ", ".join(names[:NAMES_SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown


def longest_link() -> timedelta:
    """Returns how long a link that was mailed before the change may still be opened."""
    return max(
        signed_links.LETTER_LIFETIME,
        signed_links.FIRST_SIGN_IN_LIFETIME,
        # It waits this long, and its owner may disown it for as long again.
        RESET_LIFETIME * 2,
        account_recovery.recovery_delay(),
        LINK_LIFETIME,
        timedelta(days=settings.POSTERN.ticket_link_days),
        *(purpose.lifetime for purpose in LinkPurpose),
    )


def _sealed(
    what: str, tried: Iterable[tuple[str, bool]], advice: str = SEALED_ADVICE
) -> Finding:
    found = Finding(what, advice=advice)
    for name, is_current in tried:
        found.total += 1
        if not is_current:
            found.earlier.append(name)
    return found


def _reseal_factors() -> Iterator[tuple[str, bool]]:
    for factor in Authenticator.objects.select_related("user").iterator():
        try:
            sealed_secrets.reseal(factor)
        except secret_keys.UnknownKeyError:
            yield str(factor.user), False
            continue
        if factor.type == Authenticator.Type.WEBAUTHN:
            one_time_codes.rekey(one_time_codes.name_of(factor))
        yield str(factor.user), True


def _reseal_webhooks() -> Iterator[tuple[str, bool]]:
    for endpoint in WebhookEndpoint.objects.iterator():
        try:
            reseal_webhook(endpoint)
        except secret_keys.UnknownKeyError:
            yield endpoint.url, False
            continue
        yield endpoint.url, True


def _reseal_scram_keys() -> Iterator[tuple[str, bool]]:
    rows = AppPassword.objects.live().exclude(scram="").select_related("person")
    for row in rows.iterator():
        try:
            scram_keys.reseal(row)
        except secret_keys.UnknownKeyError:
            yield row.person.address, False
            continue
        yield row.person.address, True


def _reseal_signing_keys() -> Iterator[tuple[str, bool]]:
    for key in SigningKey.objects.all():
        try:
            signing_keys.reseal(key)
        except secret_keys.UnknownKeyError:
            yield str(key), False
            continue
        yield str(key), True


def _reseal_mail_keys() -> Iterator[tuple[str, bool]]:
    for key in MailKey.objects.all():
        try:
            mail_keys.reseal(key)
        except secret_keys.UnknownKeyError:
            yield str(key), False
            continue
        yield str(key), True


def _digests(
    what: str,
    live: Iterable[ConnectionCredential | AppPassword | ApiKey],
    advice: str,
) -> Finding:
    found = Finding(what, advice=advice)
    for one in live:
        found.total += 1
        if one.keyed_by != secret_keys.key_id():
            owner = one.person.address if isinstance(one, AppPassword) else str(one)
            found.earlier.append(owner)
    return found


def _sessions() -> Finding:
    hours = settings.POSTERN.session_hours
    found = Finding(
        "Sessions",
        advice=f"They change when they are used, and end within {hours} hours.",
    )
    rows = WebSession.objects.filter(expire_date__gt=timezone.now())
    for row in rows.select_related("person").iterator():
        found.total += 1
        if not _is_signed_now(row):
            found.earlier.append(str(row.person or "nobody"))
    return found


def _is_signed_now(row: WebSession) -> bool:
    store = SessionStore()
    signer = signing.TimestampSigner(
        key=settings.SECRET_KEY, salt=store.key_salt, fallback_keys=[]
    )
    try:
        signer.unsign(row.session_data)
    except signing.BadSignature:
        return False
    return True
