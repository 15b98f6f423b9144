"""The packages in which jobs are kept, read and signed again after the key has changed."""

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
    """Have django-q2 (1.11.1) verify jobs with SECRET_KEY_FALLBACKS too.

    Its own signer knows the secret key alone, so that each job that waits while that is
    changed would be given up as unreadable. `resign` signs them again.
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
    """Sign each job with the secret key of now: those that wait, and those given up.

    Yields what each is called, and whether the key of now opens it. What is in a package
    is not looked at, so that one that this version cannot read is signed as well.
    """
    for row in OrmQ.objects.order_by("pk").iterator():
        package = _resigned(row.payload)
        if package is not None and package != row.payload:
            # Only what was read: the row may have been done, and its number used again.
            unchanged = OrmQ.objects.filter(pk=row.pk, payload=row.payload)
            unchanged.update(payload=package)
        yield f"number {row.pk} in {row.key}", package is not None
    # After the queue, for a job that begins meanwhile is written down here.
    for run in JobRun.objects.order_by("pk").iterator():
        package = _resigned(run.package)
        if package is not None and package != run.package:
            unchanged_run = JobRun.objects.filter(pk=run.pk, package=run.package)
            unchanged_run.update(package=package)
        if run.queue_id is None or package is None:
            yield f"{run.func} ({run.job_id[:8]})", package is not None


def _resigned(package: str) -> str | None:
    """The package as the key of now signs it; itself where that has been done, and None
    where no key opens it."""
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
