"""Failed background jobs: what they were for, what went wrong, and running them again."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_safe

from engine.jobs import actions
from engine.jobs.models import JobRun, RunState
from engine.registry.models import Person
from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.confirmation import confirmed_view
from portal.console.page import Button, Cell, Page, Section, Table, render_page
from portal.ui.confirmation import Confirmation, ConfirmedAction
from portal.ui.pagination import paginate

ICON = "tasks"
TITLE = "Failed jobs"
ABOVE = (("console:jobs", TITLE),)
MANAGE = Permission.MANAGE_QUEUE
HEADINGS = ("What it is for", "What went wrong", "Failed", "Attempts", "Next attempt")
NO_RETRIES = "No job is being retried."

# What each job is for, in the words of the people who rely on it.
NAMES = {
    "api.tasks.tell_webhooks": "Webhooks",
    "engine.antivirus.tasks.let_go": "Quarantine’s retention",
    "engine.certificates.tasks.let_go": "Certificates’ retention",
    "engine.registry.tasks.refresh_providers": "Cloud providers’ networks",
    "engine.registry.tasks.keep_mail_keys": "DKIM keys and their records",
    "engine.registry.tasks.apply_address_changes": "Changes of everyday addresses",
    "engine.storage.tasks.index_messages": "Search index",
    "engine.storage.tasks.let_go": "Mailboxes’ retention",
    "onboarding.connecting.tasks.rehearse": "Test of a connection",
    "onboarding.connecting.tasks.watch": "Daily check of a connection",
    "onboarding.notices.tasks.send": "Notices",
    "onboarding.notices.tasks.send_and_tidy": "Notices",
    "onboarding.tasks.answer_request": "Request for a directory sign-in",
    "onboarding.tasks.provision": "Setting up an organisation",
    "onboarding.tasks.run_checks": "Checks of an application",
    "onboarding.tasks.write_letter": "Welcome letter",
    "portal.account.tasks.note_failures": "Notice of failed sign-ins",
    "portal.account.tasks.send_notice": "Notice about an account",
    "portal.account.tasks.send_password_reset": "Link to choose a password",
    "portal.emergency_access.tasks.close_overdue": "End of emergency access",
    "portal.emergency_access.tasks.send_mail": "Mail about emergency access",
    "portal.helpdesk.intake.tasks.collect_mail": "Mail to the helpdesk",
    "portal.helpdesk.outgoing.tasks.send": "Helpdesk’s reply",
    "portal.organisation.people_file.tasks.run": "Adding people from a file",
    "portal.account_admin.tasks.send_invitation": "Invitation to a person",
    "portal.webmail.tasks.send_arrival_notices": "Notices of new mail",
    "portal.webmail.tasks.send_proof_link": "Link to confirm an everyday address",
    "portal.webmail.tasks.send_unopened_digests": "Digest of unopened group mailboxes",
    "portal.webmail.tasks.run_rule": "Applying a rule to the Inbox",
    "portal.webmail.tasks.write_export": "Export of a mailbox",
}


def name_of(run: JobRun) -> str:
    """What the job is for; its dotted path if it has no name here."""
    return NAMES.get(run.func, run.func)


@staff(Permission.VIEW_QUEUE)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Jobs given up first: only an operator runs those again."""
    given_up = paginate(
        request, JobRun.objects.given_up(), by="failed_at", descending=True
    )
    retried = JobRun.objects.troubled().unfinished()[:50]
    sections = [
        Section(
            "Given up",
            text="These are not retried. Run them again once the cause is fixed.",
            table=_table(given_up.rows, "No job has been given up."),
        ),
        Section(
            "Being retried",
            text="Each waits longer after each attempt, up to an hour, and is given up "
            "after about a day. Scheduled jobs are never given up: each is retried no "
            "later than its next scheduled run.",
            table=_table(list(retried), NO_RETRIES),
        ),
    ]
    return render_page(request, Page(TITLE, ICON, sections, links=given_up.links))


def _table(rows: list[JobRun], empty: str) -> Table:
    return Table(HEADINGS, [_row(row) for row in rows], empty)


def _row(run: JobRun) -> list[Cell]:
    return [
        Cell(name_of(run), reverse("console:job", args=[run.pk]), note=run.arguments),
        Cell(run.error, is_alarming=run.state == RunState.GIVEN_UP),
        Cell(at=run.failed_at),
        Cell(str(run.attempts)),
        Cell(at=run.next_at) if run.next_at else Cell("None"),
    ]


@staff(Permission.VIEW_QUEUE)
@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One failed job, with the traceback of its last attempt."""
    run = get_object_or_404(JobRun.objects.troubled(), pk=pk)
    facts = [
        ("What it is for", Cell(name_of(run))),
        ("State", Cell(RunState(run.state).label)),
        ("What went wrong", Cell(run.error)),
        ("Failed", Cell(at=run.failed_at)),
        ("Attempts", Cell(str(run.attempts))),
        ("Next attempt", Cell(at=run.next_at) if run.next_at else Cell("None")),
        ("Function", Cell(f"{run.func}({run.arguments})")),
        ("Last run by", Cell(run.worker or "—")),
    ]
    buttons = [Button("Run again now", reverse("console:job_again", args=[pk]), MANAGE)]
    if run.state == RunState.GIVEN_UP:
        href = reverse("console:job_dismiss", args=[pk])
        buttons.append(Button("Dismiss", href, MANAGE, True))
    text = "Running a job again does not repeat what an earlier attempt completed."
    sections = [Section(text=text, facts=facts, buttons=buttons)]
    sheet = Page(
        name_of(run),
        ICON,
        sections,
        above=ABOVE,
        template="failed_job",
        more={"run": run},
    )
    return render_page(request, sheet)


def _find(pk: int) -> JobRun:
    return get_object_or_404(JobRun.objects.troubled(), pk=pk)


def _back(run: JobRun) -> str:
    return reverse("console:jobs")


def _describe_run(run: JobRun, by: Person) -> Confirmation:
    return Confirmation(
        title=f"Run again: {name_of(run)}",
        text="It runs within seconds, and is retried if it fails.",
        button="Run it again",
        done="The job runs now. If it fails again, it is listed here.",
    )


def _describe_dismissal(run: JobRun, by: Person) -> Confirmation:
    return Confirmation(
        title=f"Dismiss: {name_of(run)}",
        text="The job will not run. The audit trail records what it was for.",
        button="Dismiss it",
        done="The job is dismissed.",
        is_warning=True,
    )


run_again = confirmed_view(
    MANAGE,
    _find,
    ConfirmedAction(_describe_run, actions.run_again),
    back=_back,
    icon=ICON,
    above=ABOVE,
)
dismiss = confirmed_view(
    MANAGE,
    _find,
    ConfirmedAction(_describe_dismissal, actions.dismiss),
    back=_back,
    icon=ICON,
    above=ABOVE,
)
