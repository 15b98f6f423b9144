"""Runs each job twice: its process can die between its work and the record of it."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import Schedule

from engine.jobs import running_job
from engine.queue.models import QueuedMessage
from engine.registry.connections.cloud_providers import PROVIDERS
from engine.registry.models import (
    AccountType,
    Connection,
    Domain,
    Organisation,
    Person,
)
from engine.storage.models import Export, Folder, Rule
from engine.storage.standard_folders import inbox
from onboarding.connecting.models import Rehearsal
from onboarding.models import Application, Letter
from onboarding.status import Status
from portal.demo.dns_server import NameServer
from portal.helpdesk.models import Entry
from portal.organisation.models import PeopleFile, PeopleFileStatus
from tests.fast_flush.tables import tables_with_rows
from tests.peers.clamd import Clamd
from tests.permissions import route_objects, visitors
from tests.portal.guides.conftest import GuideFolder

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

# Tables that every poll updates, the worker's own queue, and the change log.
IGNORED_APPS = {"sessions", "django_q", "health"}
CHANGE_LOG = {"registry.Change", "registry.ChangeLogEnd"}
JOB_ID = "0" * 32
QUEUED_BY_NAME = re.compile(
    r'(?:async_task|add_missing)\(\s*f?"(?:\{MODULE\}|([\w.]+))\.(\w+)"'
)


def rows() -> dict[str, list[tuple[Any, ...]]]:
    """Returns every row of the database, without its times."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    with connection.cursor() as cursor:
        filled = tables_with_rows(cursor)
    for model in apps.get_models():
        if model._meta.app_label in IGNORED_APPS or model._meta.label in CHANGE_LOG:
            continue
        found[model._meta.label] = []
        # Asking the others, nine of ten, would take longest.
        if model._meta.db_table not in filled:
            continue
        names = [
            field.attname
            for field in model._meta.concrete_fields
            if not isinstance(field, models.DateTimeField)
        ]
        every = model._base_manager.order_by("pk").values_list(*names)
        found[model._meta.label] = list(every)
    return found


def run(func: str, *arguments: object) -> None:
    with running_job.running(JOB_ID):
        import_string(func)(*arguments)


def changed_by_a_second_run(func: str, *arguments: object) -> dict[str, Any]:
    run(func, *arguments)
    once = rows()
    if not running_job.is_committed(import_string(func)):
        run(func, *arguments)
    twice = rows()
    return {name: twice[name] for name in twice if once[name] != twice[name]}


@pytest.fixture(autouse=True)
def _with_its_parts(name_server: NameServer, clamd: Clamd, settings) -> None:
    for provider in PROVIDERS.values():
        name_server.add_text(provider.spf_name, "v=spf1 ip4:40.92.0.0/15 -all")
    settings.EMAIL_BACKEND = "engine.email_backend.QueueEmailBackend"
    settings.POSTERN = settings.POSTERN.model_copy(update={"clamd": clamd.socket})


@pytest.fixture
def bob(
    northfield: Organisation, harbour: Organisation, guide_folder: GuideFolder
) -> Person:
    """Returns a member who owns one object of each kind."""
    guide_folder.write("webmail", "Do this.\n")
    guide_folder.load()
    member = visitors.create(northfield, harbour)["member"]
    assert member is not None
    route_objects.create(member, northfield)
    member.everyday_address = "bob@home.example"
    member.save()
    return member


def test_jobs_by_the_clock(bob: Person) -> None:
    jobs = Schedule.objects.order_by("name").values_list("name", "func")

    changed = {name: changed_by_a_second_run(func) for name, func in jobs}

    assert len(changed) >= 20
    assert {name: what for name, what in changed.items() if what} == {}


def _rehearsal(connection: Connection) -> int:
    return Rehearsal.objects.create(
        connection=connection, recipient="x@firm.example"
    ).pk


def _people_file(file: PeopleFile) -> int:
    file.rows = [{"name": "Jo", "address": "jo@northfield.secure.example"}]
    file.status, file.sends_links = PeopleFileStatus.LOADING, True
    file.save()
    return file.pk


def _approved(bob: Person) -> Application:
    application = Application.objects.get()
    application.status, application.decision_reason = Status.APPROVED, "Known."
    application.decided_at, application.decided_by = timezone.now(), bob
    application.applicant_name, application.second_name = "Jane Doe", "Ravi Shah"
    application.community_domain = "firm.example.secure.example"
    application.account_type = AccountType.WEBMAIL
    application.save()
    return application


def _letter(bob: Person) -> int:
    return Letter.objects.create(
        application=_approved(bob), organisation=bob.organisation
    ).pk


def _moving_rule(bob: Person) -> tuple[int, int]:
    rule = Rule.objects.get(mailbox=bob.mailbox)
    rule.subject_contains, rule.marks_read = "Monday", True
    rule.folder = Folder.objects.get(name="Papers")
    rule.save()
    return rule.pk, inbox(bob.mailbox).pk


# The arguments of each job, by its dotted path.
ARGUMENTS: dict[str, Callable[[Person], tuple[object, ...]]] = {
    "onboarding.connecting.tasks.rehearse": lambda bob: (
        _rehearsal(Connection.objects.get(organisation=bob.organisation)),
    ),
    "onboarding.connecting.tasks.check": lambda bob: (
        Domain.objects.filter(organisation=bob.organisation)[0].pk,
    ),
    "onboarding.connecting.tasks.refresh_policy": lambda bob: (
        Domain.objects.filter(organisation=bob.organisation)[0].pk,
    ),
    "onboarding.connecting.tasks.watch": lambda bob: (
        Connection.objects.get(organisation=bob.organisation).pk,
    ),
    "onboarding.notices.tasks.send": lambda bob: (),
    "onboarding.tasks.run_checks": lambda bob: (Application.objects.get().pk,),
    "onboarding.tasks.provision": lambda bob: (_approved(bob).pk,),
    "onboarding.tasks.write_letter": lambda bob: (_letter(bob),),
    "onboarding.tasks.answer_request": lambda bob: (bob.address,),
    "portal.account.tasks.send_password_reset": lambda bob: (bob.address,),
    "portal.account.tasks.note_failures": lambda bob: (bob.address,),
    "portal.account.tasks.send_notice": lambda bob: (
        bob.pk,
        "password_changed",
        "2026-05-04T09:30:00+00:00",
    ),
    "portal.helpdesk.outgoing.tasks.send": lambda bob: (
        Entry.objects.to_send().get().pk,
    ),
    "portal.organisation.people_file.tasks.run": lambda bob: (
        _people_file(PeopleFile.objects.get()),
    ),
    "portal.account_admin.tasks.send_invitation": lambda bob: (bob.pk,),
    "portal.webmail.tasks.archive_older": lambda bob: (
        inbox(bob.mailbox).pk,
        "2100-01-01T00:00:00+00:00",
    ),
    "portal.webmail.tasks.run_rule": _moving_rule,
    "portal.webmail.tasks.send_proof_link": lambda bob: (bob.pk,),
    "portal.webmail.tasks.write_export": lambda bob: (Export.objects.get().pk,),
}


def test_every_job_that_is_asked_for_is_tried() -> None:
    asked = set()
    for path in Path(django_settings.BASE_DIR).glob("[!.nt]*/**/tasks.py"):
        module = ".".join(
            path.relative_to(django_settings.BASE_DIR).with_suffix("").parts
        )
        for named, function in QUEUED_BY_NAME.findall(path.read_text()):
            asked.add(f"{named or module}.{function}")
            assert hasattr(importlib.import_module(named or module), function)

    assert asked == set(ARGUMENTS)


# The jobs that write a message.
TELLING = {
    "portal.account.tasks.send_password_reset",
    "portal.account.tasks.send_notice",
    "portal.helpdesk.outgoing.tasks.send",
}


def test_jobs_that_are_asked_for(bob: Person) -> None:
    changed, written = {}, {}
    for func, arguments in sorted(ARGUMENTS.items()):
        # Each begins with what the fixture made: making it takes longest.
        with transaction.atomic():
            changed[func] = changed_by_a_second_run(func, *arguments(bob))
            written[func] = QueuedMessage.objects.count()
            transaction.set_rollback(True)

    assert {func: what for func, what in changed.items() if what} == {}
    assert {func: written[func] for func in TELLING} == dict.fromkeys(TELLING, 1)
