"""Jobs that failed: what they were for, what went wrong, and running them again."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from engine.jobs import actions
from engine.jobs.models import JobRun, RunState
from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.confirmation import ConfirmForm, Words, act, person_of, typed
from portal.console.sheet import Button, Cell, Section, Sheet, Table, draw
from portal.ui.pagination import paged

ICON = "tasks"
TITLE = "Failed jobs"
ABOVE = (("console:jobs", TITLE),)
MANAGE = Permission.MANAGE_QUEUE
HEADINGS = ("What it is for", "What went wrong", "Failed", "Attempts", "Next attempt")
EVERYTHING_DONE = (
    "No job has failed. Those that fail are shown here until they are done."
)

# What each job is for, in the words of the people who wait for it.
NAMES = {
    "api.tasks.tell_webhooks": "Webhooks",
    "engine.antivirus.tasks.let_go": "Quarantine’s retention",
    "engine.registry.tasks.refresh_providers": "Cloud providers’ networks",
    "engine.registry.tasks.apply_address_changes": "Changes of everyday addresses",
    "engine.storage.tasks.index_messages": "Search index",
    "engine.storage.tasks.let_go": "Mailboxes’ retention",
    "onboarding.connecting.tasks.rehearse": "Test of a connection",
    "onboarding.connecting.tasks.watch": "Daily look at a connection",
    "onboarding.notices.tasks.send": "Notices",
    "onboarding.notices.tasks.send_and_tidy": "Notices",
    "onboarding.tasks.answer_request": "Answer to a request for a sign-in",
    "onboarding.tasks.provision": "Setting up an organisation",
    "onboarding.tasks.run_checks": "Checks of an application",
    "onboarding.tasks.write_letter": "Welcome letter",
    "portal.account.tasks.note_failures": "Notice of failed sign-ins",
    "portal.account.tasks.send_notice": "Notice about an account",
    "portal.account.tasks.send_password_reset": "Link to choose a password",
    "portal.helpdesk.intake.tasks.collect_mail": "Mail to the helpdesk",
    "portal.helpdesk.outgoing.tasks.send": "Helpdesk’s reply",
    "portal.organisation.people_file.tasks.run": "Adding people from a file",
    "portal.account_admin.tasks.send_invitation": "Invitation to a person",
    "portal.webmail.tasks.run_rule": "Rule on mail that is there",
    "portal.webmail.tasks.write_export": "Copy of a mailbox",
}


def name_of(run: JobRun) -> str:
    return NAMES.get(run.func, run.func)


@staff(Permission.VIEW_QUEUE)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Those given up first: nothing but an operator runs them again."""
    given_up = paged(
        request, JobRun.objects.given_up(), by="failed_at", descending=True
    )
    retried = JobRun.objects.troubled().unfinished()[:50]
    sections = [
        Section(
            "Given up",
            text="These are not tried any more. Run them again once the cause is gone.",
            table=_table(given_up.rows, "No job has been given up."),
        ),
        Section(
            "Tried again by itself",
            text="Each waits longer after each attempt, up to an hour, and is given up "
            "after about a day. What runs by the clock is never given up: it is tried "
            "again no later than its next run would be.",
            table=_table(list(retried), EVERYTHING_DONE),
        ),
    ]
    return draw(request, Sheet(TITLE, ICON, sections, links=given_up.links))


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
        buttons.append(Button("Take off the list", href, MANAGE, True))
    text = "Running a job again repeats nothing that an earlier attempt has done."
    sections = [Section(text=text, facts=facts, buttons=buttons)]
    sheet = Sheet(
        name_of(run),
        ICON,
        sections,
        above=ABOVE,
        template="failed_job",
        more={"run": run},
    )
    return draw(request, sheet)


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def again(request: HttpRequest, pk: int) -> HttpResponse:
    run = get_object_or_404(JobRun.objects.troubled(), pk=pk)
    words = Words(
        title=f"Run again: {name_of(run)}",
        text="It is run within seconds, and again later if it fails.",
        button="Run it again",
        done="The job is run now. If it fails again, it is shown here.",
        back=reverse("console:jobs"),
        icon=ICON,
        above=ABOVE,
    )
    form = ConfirmForm(typed(request))
    return act(
        request, form, lambda: actions.run_again(run, by=person_of(request)), words
    )


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    run = get_object_or_404(JobRun.objects.troubled(), pk=pk)
    words = Words(
        title=f"Take off the list: {name_of(run)}",
        text="The job is never run. What it was stays in the audit trail.",
        button="Take it off the list",
        done="The job is off the list.",
        back=reverse("console:jobs"),
        icon=ICON,
        above=ABOVE,
        is_grave=True,
    )
    form = ConfirmForm(typed(request))
    return act(
        request, form, lambda: actions.dismiss(run, by=person_of(request)), words
    )
