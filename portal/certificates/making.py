"""Makes a certificate for a page of the webmail or of an organisation."""

from __future__ import annotations

from engine.certificates import actions
from engine.certificates.models import Certificate
from engine.certificates.visibility import View
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from engine.secrets.secret_keys import UnknownKeyError
from onboarding import rate_limits, signed_links

# Certificates that one person makes, and PDFs that they download, in an hour.
LIMIT = 60
TOO_MANY = (
    "You have made as many certificates as we allow in an hour. Try again in an hour."
)
NO_KEY = (
    "We cannot sign certificates at the moment: the signing key cannot be read. Tell the "
    "helpdesk; the operator can make another key."
)


def make(view: View, *, by: Person) -> Certificate:
    """Makes, records and signs a certificate. Raises PolicyError."""
    count(by)
    pages = {
        "verification_page": signed_links.absolute_url("certificates:verify"),
        "key_list": signed_links.absolute_url("certificates:keys"),
    }
    try:
        return actions.make(view, pages=pages, by=by)
    except UnknownKeyError as error:
        raise PolicyError(NO_KEY) from error


def count(by: Person) -> None:
    """Counts a certificate or PDF that a person has us sign. Raises PolicyError."""
    try:
        rate_limits.count("certificates", str(by.pk), LIMIT)
    except rate_limits.RateLimitError as error:
        raise PolicyError(TOO_MANY) from error
