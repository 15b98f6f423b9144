"""What `manage.py rekey` signs with the new key, and what it reports about the rest."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from ipaddress import ip_address
from typing import Any, NamedTuple

import pytest
from django.core.management import call_command
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from pytest_django.fixtures import Settings

from engine.database import clock
from engine.jobs import package_signing, queue, worker
from engine.jobs.models import JobRun, RunState
from engine.lanes import Lane
from engine.pop3 import maildrop
from engine.registry.credentials import authentication, generated_secrets
from engine.registry.models import (
    AppPassword,
    Connection,
    ConnectionCredential,
    Domain,
    Organisation,
    Person,
)
from engine.secrets import secret_keys
from engine.smtp.receive_policy import ReceivePolicy
from engine.smtp.session_binding import Peer
from engine.smtp.submission_policy import SubmissionPolicy
from tests import factories
from tests.security.test_secret_key import NEW, OLD

pytestmark = pytest.mark.django_db

FAIL = "tests.engine.jobs.sample_jobs.fail"


@pytest.fixture(autouse=True)
def _old(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    use(settings, OLD)
    # django-q2 reads the key when it is imported.
    monkeypatch.setattr("django_q.conf.Conf.SECRET_KEY", OLD)
    monkeypatch.setattr(SignedPackage, "loads", SignedPackage.loads)
    monkeypatch.setattr(queue, "MAX_ATTEMPTS", 2)


def use(settings: Settings, key: str, *earlier: str) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = key, list(earlier)


def rekey() -> str:
    out = StringIO()
    call_command("rekey", stdout=out)
    return out.getvalue()


def run_one() -> None:
    OrmQ.objects.update(lock=clock.now())
    worker.run_next(Lane.QUICK)


def run_to_the_end() -> None:
    while OrmQ.objects.exists():
        run_one()


def test_jobs_outlive_the_key_that_signed_them(settings: Settings) -> None:
    queue.add(FAIL)
    run_to_the_end()
    given_up = JobRun.objects.get(state=RunState.GIVEN_UP)
    queue.add(FAIL)
    run_one()  # it waits for its next attempt
    queue.add(FAIL)
    use(settings, NEW, OLD)
    package_signing.accept_earlier_keys()

    assert "Jobs: 3, on an earlier key 0\n" in rekey()
    use(settings, NEW)

    run_to_the_end()
    given_up.refresh_from_db()
    queue.requeue(given_up)
    run_to_the_end()
    errors = JobRun.objects.values_list("error", flat=True)
    assert list(errors) == ["Fault: The scanner is away."] * 3


def test_a_job_that_no_key_opens_is_counted(settings: Settings) -> None:
    queue.add(FAIL)
    use(settings, NEW)

    said = rekey()

    assert "Jobs: 1, on an earlier key 1\n  number " in said
    assert "dismiss the jobs under Failed jobs" in said
    assert "can be emptied" not in said


def test_signing_jobs_again_twice_changes_nothing(settings: Settings) -> None:
    queue.add(FAIL)
    use(settings, NEW, OLD)
    rekey()
    package = OrmQ.objects.get().payload

    rekey()

    assert OrmQ.objects.get().payload == package


def test_the_command_says_what_ends_with_the_earlier_key(
    northfield: Organisation, settings: Settings
) -> None:
    Domain.objects.filter(organisation=northfield).update(verified_at=None)
    name = Domain.objects.get(organisation=northfield).member_domain
    settings.POSTERN = settings.POSTERN.model_copy(update={"ticket_link_days": 60})
    use(settings, NEW, OLD)

    said = rekey()

    assert (
        "Links that were mailed, and codes that were printed, for up to 60 days" in said
    )
    assert f"asked to publish ({name}), for up to 30 days" in said
    assert "Recognised browsers, for up to 180 days" in said
    assert "Reply addresses of the helpdesk's messages:" in said


def test_the_command_says_that_scram_brings_no_password(
    bob: Person, settings: Settings
) -> None:
    use(settings, OLD)
    factories.make_app_password(bob, generated_secrets.digest(SECRET))
    use(settings, NEW, OLD)

    assert "next signs in by PLAIN. By SCRAM it sends no password" in rekey()


HERE = Peer(ip_address("192.0.2.1"), "TLSv1.3", frozenset())
SECRET = "k7qd-3m9x-2222-3333-4444-5555-6666"


class SignInProtocol(NamedTuple):
    """A protocol to sign in by: opens a session, checks it, and signs in elsewhere."""

    open: Callable[[], Any]
    is_still_valid: Callable[[Any], bool]
    sign_in: Callable[[], object]
    rows: Any


@pytest.fixture(params=["receive", "submission", "pop3"])
def protocol(
    request: pytest.FixtureRequest, bob: Person, firm_connection: Connection
) -> SignInProtocol:
    if request.param == "receive":
        factories.make_connection_credential(
            firm_connection, "firm", generated_secrets.digest(SECRET)
        )
        return SignInProtocol(
            lambda: ReceivePolicy().authenticate("firm", SECRET, HERE),
            ReceivePolicy().is_sign_in_valid,
            lambda: authentication.authenticate_connection("firm", SECRET),
            ConnectionCredential.objects,
        )
    factories.make_app_password(bob, generated_secrets.digest(SECRET))
    policy = SubmissionPolicy()
    is_submission = request.param == "submission"
    return SignInProtocol(
        (lambda: policy.authenticate(bob.address, SECRET, HERE))
        if is_submission
        else (lambda: maildrop.find_mailbox(bob.address, SECRET, peer="192.0.2.1")),
        policy.is_sign_in_valid if is_submission else maildrop.is_access_valid,
        lambda: authentication.authenticate_person(bob.address, SECRET),
        AppPassword.objects,
    )


def test_a_session_goes_on_while_hosts_exchange_the_keys(
    settings: Settings, protocol: SignInProtocol
) -> None:
    use(settings, OLD, NEW)  # on the host that still has the old order of keys
    session = protocol.open()

    use(settings, NEW, OLD)  # on the host that already has the new one
    assert protocol.sign_in()
    assert protocol.rows.get().keyed_by == secret_keys.key_id(NEW)
    assert protocol.is_still_valid(session)

    use(settings, OLD, NEW)
    assert protocol.is_still_valid(session)
    assert protocol.sign_in()
    assert protocol.is_still_valid(session)

    protocol.rows.update(revoked_at=clock.now())
    assert not protocol.is_still_valid(session)
