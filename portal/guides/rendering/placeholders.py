"""Placeholders in guides, such as `{suffix}`, and this community's values for them."""

from __future__ import annotations

import hashlib
import json
import re

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from engine.queue.preflight import message_size

_PLACEHOLDER = re.compile(r"\{([a-z0-9_]{2,30})\}")


def values() -> dict[str, str]:
    """Returns the value of every placeholder, by its name."""
    here = settings.POSTERN
    return {
        "community": here.community_name,
        "suffix": here.community_domain,
        "site": here.site_url,
        "mail_host": here.smtp_name,
        "receive_port": str(here.smtp_port),
        "submission_port": str(here.submission_port),
        "submissions_port": str(here.submissions_port),
        "pop3_port": str(here.pop3_port),
        "pop3s_port": str(here.pop3s_port),
        "message_limit": f"{here.message_size_limit // (1024 * 1024)} MB",
        "files_limit": filesizeformat(message_size.files_limit()),
        "link_limit": filesizeformat(here.linked_file_limit),
        "link_days": str(here.linked_file_days),
        "helpdesk_phone": here.helpdesk_phone,
        "helpdesk_address": here.helpdesk_address,
        "second_factor_rule": _second_factor_rule(),
        "trace_days": str(here.trace_days),
        "queue_days": str(here.queue_days),
        "proof_years": _in_years(here.proof_days),
        "idle_minutes": str(here.session_idle_minutes),
        "session_hours": str(here.session_hours),
    }


def _in_years(days: int) -> str:
    """Returns a number of days in words: in whole years from two years on."""
    years = days // 365
    if years < 2:
        return gettext("%(days)s days") % {"days": days}
    return gettext("%(years)s years") % {"years": years}


def _second_factor_rule() -> str:
    """Returns the rule for members' second factors in this community."""
    if settings.POSTERN.second_factor != "everybody":
        return gettext("It is optional for everybody else.")
    return gettext(
        "Everybody else is reminded when they sign in, and needs one %(days)s days "
        "after their first sign-in."
    ) % {"days": settings.POSTERN.second_factor_grace_days}


def digest() -> str:
    """Returns a digest of all values, to invalidate what was rendered with old ones."""
    known = json.dumps(values(), sort_keys=True).encode()
    return hashlib.sha256(known).hexdigest()[:16]


def fill_in_html(html: str) -> SafeString:
    """Returns an editor's HTML with placeholders replaced by escaped values."""
    known = {name: escape(value) for name, value in values().items()}
    filled = _PLACEHOLDER.sub(lambda found: known.get(found[1], found[0]), html)
    # Safe: Wagtail sanitises editors' rich text, and the values are escaped.
    return mark_safe(filled)  # noqa: S308


def fill_in(text: str) -> str:
    """Returns plain text with placeholders replaced."""
    known = values()
    return _PLACEHOLDER.sub(lambda found: known.get(found[1], found[0]), text)
