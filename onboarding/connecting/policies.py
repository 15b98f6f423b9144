"""Whether a connection can be tested, shared, or reveal a secret now."""

from __future__ import annotations

from datetime import timedelta

from engine.database import clock
from engine.mail.address import Address
from engine.registry.connections.policy import has_secret_tenant
from engine.registry.errors import PolicyError
from engine.registry.models import Connection, Proof
from onboarding.connecting.models import Rehearsal, SharedLink

# Each test dials the member's server and sends a message, so tests of one organisation
# are spaced out, and the number of live links is limited.
PAUSE = timedelta(seconds=30)
LINKS_LIMIT = 10


def check_can_rehearse(connection: Connection) -> None:
    """Raises PolicyError unless the connection can be tested now."""
    if not connection.organisation.is_active or not connection.is_active:
        raise PolicyError("This connection is suspended. Contact the helpdesk.")
    if not connection.next_hop_host:
        raise PolicyError("Enter your mail server first, in “Your server”.")
    since = clock.now() - PAUSE
    recent = Rehearsal.objects.filter(
        connection__organisation=connection.organisation, started_at__gt=since
    )
    if recent.exists():
        raise PolicyError("A test has just started. Wait 30 seconds and try again.")


def check_is_own(connection: Connection, address: Address) -> None:
    """Raises PolicyError unless the address is in a verified domain of the organisation."""
    own = connection.organisation.domains.verified()
    if not own.filter(community_domain=address.domain).exists():
        raise PolicyError("Enter an address at one of your own verified domains.")


def check_can_share(connection: Connection) -> None:
    """Raises PolicyError if the connection has too many live links."""
    if connection.shared_links.live().count() >= LINKS_LIMIT:
        raise PolicyError(
            f"This connection has {LINKS_LIMIT} links already. End one of them first."
        )


def check_can_open(link: SharedLink) -> None:
    """Raises PolicyError unless the link can still reveal a secret."""
    if not link.is_live:
        raise PolicyError("This link has ended. Ask for another.")
    if link.opened_at is not None:
        raise PolicyError("This link has already shown its password. Ask for another.")
    if not gives_secret(link.connection):
        raise PolicyError("This connection has no password.")


def gives_secret(connection: Connection) -> bool:
    """True if the connection uses a password or a tenant secret."""
    return connection.proof == Proof.CREDENTIAL or has_tenant_secret(connection)


def has_tenant_secret(connection: Connection) -> bool:
    """True if the connection's tenant id is a secret, as for Google Workspace."""
    is_cloud = connection.proof == Proof.CLOUD and bool(connection.tenant_id)
    return is_cloud and has_secret_tenant(connection)


def check_has_tenant_secret(connection: Connection) -> None:
    """Raises PolicyError unless the connection has a tenant secret."""
    if not has_tenant_secret(connection):
        raise PolicyError("This connection has no tenant secret.")
