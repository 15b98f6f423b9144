"""The keys that sign mail now, in the memory of a process that sends mail."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from django.conf import settings

from engine.mail.dkim.signing import DomainKey, PrivateKey
from engine.secrets.secret_keys import UnknownKeyError
from engine.signing import mail_keys
from engine.signing.models import KeyRecord, KeyState, MailKey

log = logging.getLogger(__name__)

# Seconds after which a process notices that keys or records have changed. Retired keys
# stay published for days.
REFRESH_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Signers:
    """The keys at one moment. There are none while nothing is visible in the DNS."""

    community: tuple[DomainKey, ...] = ()
    domains: Mapping[str, tuple[DomainKey, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )

    def of_author(self, domain: str) -> tuple[DomainKey, ...]:
        """Returns the keys that sign for an author's domain.

        Its own where its records are visible, and else the community's: of a domain
        below it receivers take that for aligned (RFC 7489 §3.1.1, relaxed).
        """
        return self.domains.get(domain, self.community)

    @property
    def seal(self) -> DomainKey | None:
        """The key that seals: RSA, because no other algorithm is read in ARC sets yet."""
        found = (key for key in self.community if key.algorithm == mail_keys.RSA)
        return next(found, None)


class Keyring:
    """Keeps the keys, and reads them again every REFRESH_SECONDS."""

    def __init__(self) -> None:
        self.signers = Signers()
        # By what seals them, which changes with the key.
        self._private: dict[str, PrivateKey] = {}
        self._read_at: float | None = None

    def refresh(self, *, at_once: bool = False) -> None:
        """Reads the keys where that is due. Raises DatabaseError; then it keeps what it has."""
        now = time.monotonic()
        is_due = self._read_at is None or now - self._read_at >= REFRESH_SECONDS
        if is_due or at_once:
            self.signers = self._read()
            self._read_at = now

    def _read(self) -> Signers:
        if not settings.POSTERN.sign_mail:
            return Signers()
        keys = MailKey.objects.filter(state=KeyState.CURRENT)
        usable = {
            key.pk: (key.selector, private)
            for key in keys
            if (private := self._private_of(key)) is not None
        }
        if not usable:
            return Signers()
        community = mail_keys.community_domain()
        # Visible or not: they were when they came into use, and without them the mail
        # would not be signed at all.
        own = [DomainKey(community, *one) for one in usable.values()]
        domains: defaultdict[str, list[DomainKey]] = defaultdict(list)
        visible = KeyRecord.objects.filter(key__in=usable, is_visible=True)
        visible = visible.exclude(domain=community).order_by("key__selector")
        for domain, key_id in visible.values_list("domain", "key_id"):
            domains[domain].append(DomainKey(domain, *usable[key_id]))
        return Signers(
            tuple(own), MappingProxyType({one: tuple(k) for one, k in domains.items()})
        )

    def _private_of(self, key: MailKey) -> PrivateKey | None:
        """Returns None for a key that cannot be opened: the mail goes without it.

        It leaves unsigned rather than waits. Next hops know us by our certificate and
        SPF still vouches for the sender, whereas waiting would stop all mail of the
        community for the fault of one setting. An alarm names it within a minute.
        """
        sealed = key.sealed_private_key
        if sealed not in self._private:
            try:
                self._private[sealed] = mail_keys.private_key(key)
            except (UnknownKeyError, ValueError, TypeError) as error:
                log.error("mail is not signed with %s: %s", key.selector, error)
                return None
        return self._private[sealed]
