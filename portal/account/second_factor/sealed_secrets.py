"""Encrypts the secrets of second factors with the service's secret key."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.db import transaction

from engine.secrets import secret_keys

PURPOSE = "postern second factor"
# The fields that allauth 65.21 encrypts in the data of an app and of recovery codes.
FIELDS = ("secret", "seed")


def is_current(authenticator: Authenticator) -> bool:
    """Returns whether the current secret key sealed every secret of the authenticator."""
    data = authenticator.data
    return all(
        secret_keys.is_sealed_with_current_key(PURPOSE, data[name])
        for name in FIELDS
        if name in data
    )


@transaction.atomic
def reseal(authenticator: Authenticator) -> None:
    """Seals secrets with the current secret key that an earlier one sealed."""
    if is_current(authenticator):
        return
    # Read again under the lock: recovery codes record in the same field which were used.
    row = Authenticator.objects.select_for_update().get(pk=authenticator.pk)
    for name in FIELDS:
        if name in row.data:
            plain = secret_keys.unseal(PURPOSE, row.data[name])
            row.data[name] = secret_keys.seal(PURPOSE, plain)
    row.save(update_fields=["data"])
