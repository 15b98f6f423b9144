"""What a development copy needs before it can start: certificates and the community."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from portal.demo import community, record
from portal.demo.cast import PLACES
from portal.demo.certificates import Authority
from portal.demo.record import Facts, provider_certificate


def load_certificates() -> None:
    """Ours, unless the environment names another; and one for each demo server."""
    authority = Authority(settings.POSTERN.path("tls"))
    authority.issue(
        *dict.fromkeys([settings.POSTERN.smtp_name, "localhost", "127.0.0.1"]),
        kept_as="server",
    )
    for place in PLACES:
        if place.gate is not None:
            authority.issue(place.gate.tls_name, "localhost", "127.0.0.1")
            if place.gate.provider is not None:
                # What its provider's servers show, whichever tenant they send for.
                authority.issue(provider_certificate(place.gate.provider))


@transaction.atomic
def load_community() -> Facts:
    """Build the demo community where it is not there yet, and write var/demo.json."""
    if not community.is_there():
        # What an earlier database left opens nothing in this one.
        record.path().unlink(missing_ok=True)
        community.build()
    community.keep_next_hops()
    return record.write()
