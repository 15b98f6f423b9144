"""Refuses address names that are reserved for the service or look like a member's."""

from __future__ import annotations

from django.conf import settings

from engine.mail import lookalike
from engine.registry.addresses.display_names import imitates_service
from engine.registry.errors import PolicyError
from engine.routing import routes
from onboarding.models import Application, domain_under_suffix

# The mailbox names of RFC 2142; names that programs look up without being asked (RFC
# 6186, autodiscover, wpad, isatap); and names that a reader would take for the service.
_RESERVED = [
    "abuse",
    "account",
    "accounts",
    "admin",
    "administrator",
    "alert",
    "api",
    "app",
    "auth",
    "autoconfig",
    "autodiscover",
    "billing",
    "broadcasthost",
    "cdn",
    "certificate",
    "community",
    "console",
    "contact",
    "dev",
    "directory",
    "dmarc",
    "dns",
    "dkim",
    "download",
    "example",
    "ftp",
    "gateway",
    "guide",
    "guides",
    "help",
    "helpdesk",
    "hostmaster",
    "id",
    "imap",
    "info",
    "internal",
    "isatap",
    "it",
    "local",
    "localhost",
    "localdomain",
    "login",
    "logout",
    "mail",
    "mailer",
    "mailerdaemon",
    "marketing",
    "members",
    "mobile",
    "mta",
    "mtasts",
    "mx",
    "mx1",
    "mx2",
    "my",
    "news",
    "nobody",
    "noc",
    "noreply",
    "notices",
    "notifications",
    "ns",
    "ns1",
    "ns2",
    "official",
    "operator",
    "owa",
    "password",
    "pop",
    "pop3",
    "portal",
    "postmaster",
    "private",
    "public",
    "register",
    "relay",
    "root",
    "sales",
    "secure",
    "securemail",
    "security",
    "server",
    "service",
    "services",
    "signin",
    "signup",
    "sip",
    "smtp",
    "sso",
    "staff",
    "staging",
    "static",
    "status",
    "submission",
    "support",
    "sysadmin",
    "system",
    "team",
    "test",
    "tls",
    "trusted",
    "user",
    "users",
    "usenet",
    "vpn",
    "web",
    "webmail",
    "webmaster",
    "wpad",
    "www",
    "xmpp",
]
_SKELETONS = frozenset(map(lookalike.skeleton, _RESERVED))


def check_name_is_free(label: str, *, application: Application) -> None:
    """Raises PolicyError if a name is reserved, taken, or looks like one that is taken.

    The message does not say whose it is: an applicant must not learn who is a member.
    """
    text = lookalike.readable_domain(label)
    if _is_reserved(text):
        raise PolicyError(
            f"“{text}” is a name of the service itself. Enter another, like a short "
            "form of your organisation's name"
        )
    if _is_taken(label, text, application):
        raise PolicyError(
            f"“{text}” is in use, or looks like a name in use. Enter another. If you "
            "work for the organisation that uses it, ask its administrator to add you"
        )


def _is_reserved(text: str) -> bool:
    joined = "".join(lookalike.word_skeletons(text))
    own = settings.POSTERN.community_domain.partition(".")[0]
    return lookalike.skeleton(joined) in _SKELETONS | {
        lookalike.skeleton(own)
    } or imitates_service(text.replace("-", " "))


def _is_taken(label: str, text: str, application: Application) -> bool:
    owner = routes.current().domains.owner_of_lookalike(text)
    if owner is not None and owner != application.organisation_id:
        return True
    others = Application.objects.unfinished().exclude(pk=application.pk)
    return others.filter(community_domain=domain_under_suffix(label)).exists()
