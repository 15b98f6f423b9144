"""One-time links: random tokens of which only a digest is stored, ended by use or age."""

from __future__ import annotations

import secrets

from django.db import transaction
from django.utils import timezone

from engine.secrets import secret_keys
from onboarding.models import Application, Link, LinkPurpose
from onboarding.signed_links import ExpiredLinkError, ForgedLinkError

SALT = "onboarding.one_use"
ENTROPY = 32  # octets


def create(
    purpose: LinkPurpose,
    *,
    address: str,
    application: Application | None = None,
    about: int = 0,
) -> str:
    """Stores a link to be mailed to `address` and returns its token.

    `about` is the id of the row that the link is for; see models.Link.
    """
    token = secrets.token_urlsafe(ENTROPY)
    Link.objects.create(
        purpose=purpose,
        address=address,
        application=application,
        about=about,
        digest=secret_keys.mac(SALT, token),
        expires_at=timezone.now() + purpose.lifetime,
    )
    return token


def find(token: str, *purposes: LinkPurpose) -> Link:
    """Returns a link without using it. Raises ForgedLinkError or ExpiredLinkError."""
    link = (
        Link.objects.select_related("application")
        .filter(digest__in=secret_keys.macs(SALT, token), purpose__in=purposes)
        .first()
    )
    if link is None:
        raise ForgedLinkError
    if link.used_at is not None or link.expires_at < timezone.now():
        raise ExpiredLinkError
    return link


@transaction.atomic
def use(token: str, *purposes: LinkPurpose) -> Link:
    """Uses up a link; of two concurrent calls one succeeds. Raises like `find`."""
    link = find(token, *purposes)
    # Conditional, because two requests may have found the same unused link.
    used = Link.objects.filter(pk=link.pk, used_at=None).update(used_at=timezone.now())
    if not used:
        raise ExpiredLinkError
    return link


def find_ended(token: str) -> Link | None:
    """Returns a link even if it is used or expired, to send its recipient another."""
    return Link.objects.filter(digest__in=secret_keys.macs(SALT, token)).first()
