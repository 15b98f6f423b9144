"""Links to mail: made at random, kept as a digest, ended by their use or their age."""

from __future__ import annotations

import secrets

from django.db import transaction
from django.utils import timezone

from engine import keys
from onboarding.links import ExpiredLinkError, ForgedLinkError
from onboarding.models import Application, Link, LinkPurpose

SALT = "onboarding.one_use"
ENTROPY = 32  # octets


def make(
    purpose: LinkPurpose,
    *,
    address: str,
    application: Application | None = None,
    about: int = 0,
) -> str:
    """A new link for whoever reads mail at the address. Returns its token."""
    token = secrets.token_urlsafe(ENTROPY)
    Link.objects.create(
        purpose=purpose,
        address=address,
        application=application,
        about=about,
        digest=keys.mac(SALT, token),
        expires_at=timezone.now() + purpose.lifetime,
    )
    return token


def find(token: str, *purposes: LinkPurpose) -> Link:
    """Look at a link without using it. Raises ForgedLinkError or ExpiredLinkError."""
    link = (
        Link.objects.select_related("application")
        .filter(digest__in=keys.macs(SALT, token), purpose__in=purposes)
        .first()
    )
    if link is None:
        raise ForgedLinkError
    if link.used_at is not None or link.expires_at < timezone.now():
        raise ExpiredLinkError
    return link


@transaction.atomic
def use(token: str, *purposes: LinkPurpose) -> Link:
    """End the link; of two who try, one may. Raises as `find` does."""
    link = find(token, *purposes)
    used = Link.objects.filter(pk=link.pk, used_at=None).update(used_at=timezone.now())
    if not used:
        raise ExpiredLinkError
    return link


def whose(token: str) -> Link | None:
    """An ended link, so that another can be sent to the same reader."""
    return Link.objects.filter(digest__in=keys.macs(SALT, token)).first()
