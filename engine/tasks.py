"""Reads jobs that were queued under an earlier secret key."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django_q import core_signing
from django_q.conf import Conf
from django_q.signing import BadSignature, PickleSerializer, SignedPackage

from engine import keys


def accept_earlier_keys() -> None:
    """Have django-q2 (1.11.1) verify jobs with SECRET_KEY_FALLBACKS too.

    Its own signer knows the secret key alone, so that each job that waits while that is
    changed would be given up as unreadable. `engine.jobs.packages` signs them again.
    """
    SignedPackage.loads = staticmethod(_loads)


def _loads(package: str) -> Any:
    *earlier, last = keys.secrets()
    for key in earlier:
        with suppress(BadSignature):
            return _loads_with(package, key)
    return _loads_with(package, last)


def _loads_with(package: str, key: str) -> Any:
    return core_signing.loads(
        package, key=key, salt=Conf.PREFIX, serializer=PickleSerializer
    )
