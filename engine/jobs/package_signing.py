"""Verifies and re-signs the packages of queued jobs after the secret key has changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.signing import TimestampSigner
from django_q import core_signing
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signing import BadSignature, PickleSerializer, SignedPackage

from engine.jobs.models import JobRun
from engine.secrets import secret_keys


def accept_earlier_keys() -> None:
    """Makes django-q2 (1.11.1) verify jobs with SECRET_KEY_FALLBACKS too.

    Its own signer knows the secret key only, so that every job queued before a change of
    the key would be given up as unreadable. `resign` signs them with the new key.
    """
    SignedPackage.loads = staticmethod(_loads)


def _loads(package: str) -> Any:
    *earlier, last = secret_keys.all_keys()
    for key in earlier:
        with suppress(BadSignature):
            return _loads_with(package, key)
    return _loads_with(package, last)


def _loads_with(package: str, key: str) -> Any:
    return core_signing.loads(
        package, key=key, salt=Conf.PREFIX, serializer=PickleSerializer
    )


def resign() -> Iterator[tuple[str, bool]]:
    """Signs every job with the current secret key: those queued and those given up.

    Yields a name for each, and whether the current key now verifies it. Packages are not
    unpickled, so that one that this version cannot read is signed as well.
    """
    for row in OrmQ.objects.order_by("pk").iterator():
        package = _resigned(row.payload)
        if package is not None and package != row.payload:
            # By the payload too: the job may be done by now, and its id used again.
            unchanged = OrmQ.objects.filter(pk=row.pk, payload=row.payload)
            unchanged.update(payload=package)
        yield f"number {row.pk} in {row.key}", package is not None
    # After the queue, because a job that starts in the meantime gets its JobRun here.
    for run in JobRun.objects.order_by("pk").iterator():
        package = _resigned(run.package)
        if package is not None and package != run.package:
            unchanged_run = JobRun.objects.filter(pk=run.pk, package=run.package)
            unchanged_run.update(package=package)
        if run.queue_id is None or package is None:
            yield f"{run.func} ({run.job_id[:8]})", package is not None


def _resigned(package: str) -> str | None:
    """Returns the package signed with the current key, unchanged if it already is.

    Returns None if no key verifies it.
    """
    for secret in secret_keys.all_keys():
        signer = core_signing.TimestampSigner(key=secret, salt=Conf.PREFIX)
        try:
            content = signer.unsign(package)
        except BadSignature:
            continue
        return package if secret == settings.SECRET_KEY else _signed(content)
    return None


def _signed(content: str) -> str:
    signer = TimestampSigner(
        key=settings.SECRET_KEY, salt=Conf.PREFIX, fallback_keys=[]
    )
    return str(signer.sign(content))
