"""The secrets of second factors: never kept in the clear, sealed with our secret key."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.db import transaction

from engine import keys

PURPOSE = "postern second factor"
# What allauth (65.21) encrypts in the data of an app, and of recovery codes.
FIELDS = ("secret", "seed")


def is_current(authenticator: Authenticator) -> bool:
    """Whether the secret key of now seals all that is sealed in it."""
    data = authenticator.data
    return all(keys.is_current(PURPOSE, data[name]) for name in FIELDS if name in data)


@transaction.atomic
def reseal(authenticator: Authenticator) -> None:
    """Seal it with the secret key of now, where an earlier one did."""
    if is_current(authenticator):
        return
    # Again from its row: recovery codes note there which of them are used.
    row = Authenticator.objects.select_for_update().get(pk=authenticator.pk)
    for name in FIELDS:
        if name in row.data:
            plain = keys.unseal(PURPOSE, row.data[name])
            row.data[name] = keys.seal(PURPOSE, plain)
    row.save(update_fields=["data"])
