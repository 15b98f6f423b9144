"""Creates what a development copy needs before it starts: certificates, community, file."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from portal.demo import community, demo_file, dkim_keys
from portal.demo.certificates import Authority
from portal.demo.demo_file import Facts, provider_certificate
from portal.demo.members import ORGANISATIONS


def load_certificates() -> None:
    """Issues the service's own certificate and one for each demo mail server."""
    authority = Authority(settings.POSTERN.path("tls"))
    authority.issue(
        *dict.fromkeys([settings.POSTERN.smtp_name, "localhost", "127.0.0.1"]),
        kept_as="server",
    )
    for demo in ORGANISATIONS:
        if demo.connection is not None:
            authority.issue(demo.connection.tls_name, "localhost", "127.0.0.1")
            if demo.connection.provider is not None:
                # A provider's servers present the same certificate for all tenants.
                authority.issue(provider_certificate(demo.connection.provider))


@transaction.atomic
def load_community() -> Facts:
    """Builds the demo community if necessary, and writes var/demo.json."""
    if not community.exists():
        # The secrets of an earlier database are useless in this one.
        demo_file.path().unlink(missing_ok=True)
        community.build()
    community.keep_next_hops()
    dkim_keys.write_community_records()
    return demo_file.write()
