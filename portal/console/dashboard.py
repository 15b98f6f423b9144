"""The console's home page: open alarms, and counts of what needs attention."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from engine.incidents.models import Withdrawal, WithdrawalState
from engine.jobs.models import JobRun
from engine.queue.models import RecipientStatus
from engine.registry.models import (
    Connection,
    Domain,
    Organisation,
    OrganisationStatus,
    SendingStop,
)
from engine.registry.permissions import Permission, Visitor
from onboarding.connecting.models import Watch
from onboarding.status import Status
from portal.console import dashboard_counts as counts
from portal.console import guide_reviews
from portal.console.access import held_as_staff, staff
from portal.console.mail import outbox
from portal.console.operations import monitoring
from portal.helpdesk.models import Ticket
from portal.helpdesk.status import Status as TicketStatus


@dataclass(frozen=True, slots=True)
class Tile:
    """A count on the dashboard, for staff who may see the list behind it.

    `is_alarm` marks counts that should be zero.
    """

    label: str
    permission: Permission
    count: Callable[[], int]
    url_name: str
    query: str = ""
    is_alarm: bool = False


@dataclass(frozen=True, slots=True)
class CountedTile:
    """A tile with its number."""

    label: str
    number: int
    href: str
    is_alarming: bool


@staff(Permission.USE_CONSOLE)
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Open alarms, and counts that link to the lists behind them."""
    context = {
        "header_title": settings.POSTERN.community_name,
        "alarms": monitoring.open_alarms(request.user),
        "may_see_health": Permission.VIEW_QUEUE in held_as_staff(request.user),
        "tiles": tiles_for(request.user),
        "scans_by_fallback": not settings.POSTERN.clamd,
        "scans_nothing": settings.POSTERN.clamd == "off",
    }
    return render(request, "console/home.html", context)


TILES = (
    Tile(
        "Applications to decide",
        Permission.VIEW_APPLICATIONS,
        counts.applications(Status.SUBMITTED),
        "vetting:index",
        "?status=submitted",
    ),
    Tile(
        "Applications for a second officer",
        Permission.VIEW_APPLICATIONS,
        counts.applications(Status.RECOMMENDED),
        "vetting:index",
        "?status=recommended",
    ),
    Tile(
        "Applications waiting for the applicant",
        Permission.VIEW_APPLICATIONS,
        counts.applications(Status.QUERIED),
        "vetting:index",
        "?status=queried",
    ),
    Tile(
        "Recipients waiting for delivery",
        Permission.VIEW_QUEUE,
        counts.recipients(RecipientStatus.QUEUED),
        "console:queue",
        "?status=queued",
    ),
    Tile(
        "Recipients held",
        Permission.VIEW_QUEUE,
        counts.recipients(RecipientStatus.HELD),
        "console:queue",
        "?status=held",
        is_alarm=True,
    ),
    Tile(
        "Senders stopped",
        Permission.VIEW_QUEUE,
        SendingStop.objects.count,
        "console:stops",
        is_alarm=True,
    ),
    Tile(
        "Jobs given up",
        Permission.VIEW_QUEUE,
        JobRun.objects.given_up().count,
        "console:jobs",
        is_alarm=True,
    ),
    Tile(
        "Failed in the last 24 hours",
        Permission.TRACE_MESSAGES,
        counts.failed_today,
        "console:trace",
        "?kind=failed",
        is_alarm=True,
    ),
    Tile(
        "Infected messages in the last 7 days",
        Permission.VIEW_QUARANTINE,
        counts.quarantined_this_week,
        "console:quarantine",
        is_alarm=True,
    ),
    Tile(
        "Withdrawals waiting for two operators",
        Permission.VIEW_QUARANTINE,
        Withdrawal.objects.filter(state=WithdrawalState.ASKED).count,
        "console:withdrawals",
        is_alarm=True,
    ),
    Tile(
        "Newer virus signatures than at the last re-scan",
        Permission.VIEW_QUARANTINE,
        counts.newer_signatures,
        "console:rescans",
    ),
    Tile(
        "Organisations being set up",
        Permission.VIEW_APPLICATIONS,
        counts.applications(Status.APPROVED),
        "vetting:index",
        "?status=approved",
    ),
    Tile(
        "Changes waiting for a second person",
        Permission.MANAGE_PEOPLE,
        counts.pending_approvals,
        "members:recovery",
    ),
    Tile(
        "Requests for emergency access",
        Permission.VIEW_ORGANISATION,
        counts.emergency_accesses,
        "emergency_access:index",
    ),
    Tile(
        "Tickets late or due soon",
        Permission.VIEW_TICKETS,
        counts.late_tickets,
        "desk:index",
        "?view=breaching",
        is_alarm=True,
    ),
    Tile(
        "New tickets",
        Permission.VIEW_TICKETS,
        Ticket.objects.filter(status=TicketStatus.NEW).count,
        "desk:index",
        "?view=new",
    ),
    Tile(
        "Recipients waiting for longer than two hours",
        Permission.VIEW_QUEUE,
        counts.queued_for_hours,
        "console:queue",
        "?status=queued&hours=2",
        is_alarm=True,
    ),
    Tile(
        "Domains not verified",
        Permission.VIEW_ORGANISATION,
        Domain.objects.filter(verified_at=None).count,
        "members:organisations",
        "?domains=unproved",
    ),
    Tile(
        "Organisations suspended",
        Permission.VIEW_ORGANISATION,
        Organisation.objects.filter(status=OrganisationStatus.SUSPENDED).count,
        "members:organisations",
        "?status=suspended",
    ),
    Tile(
        "Connections with a fault",
        Permission.VIEW_ORGANISATION,
        Watch.objects.exclude(fault="").count,
        "members:organisations",
        "?connections=faulty",
        is_alarm=True,
    ),
    Tile(
        "Members’ certificates ending soon",
        Permission.VIEW_ORGANISATION,
        counts.certificates_ending,
        "members:organisations",
        "?connections=ending",
        is_alarm=True,
    ),
    Tile(
        "Connections suspended",
        Permission.VIEW_ORGANISATION,
        Connection.objects.filter(is_active=False).count,
        "members:organisations",
        "?connections=suspended",
    ),
    Tile(
        "Guides due for review",
        Permission.EDIT_GUIDES,
        guide_reviews.count(guide_reviews.DUE),
        "guide_desk:reviews",
        f"?show={guide_reviews.DUE}",
        is_alarm=True,
    ),
    Tile(
        "Guides with changes to publish",
        Permission.EDIT_GUIDES,
        guide_reviews.count(guide_reviews.DRAFTS),
        "guide_desk:reviews",
        f"?show={guide_reviews.DRAFTS}",
    ),
    Tile(
        "Comments on guides in the last 7 days",
        Permission.EDIT_GUIDES,
        counts.comments_this_week,
        "guide_desk:feedback",
    ),
    Tile(
        "Notices in the outbox", Permission.VIEW_OUTBOX, outbox.count, "console:outbox"
    ),
)


def tiles_for(person: Visitor) -> list[CountedTile]:
    """Returns the tiles that the person may see, alarming ones first."""
    held = held_as_staff(person)
    counted = [
        _counted(tile)
        for tile in TILES
        if tile.permission in held
        and (tile.url_name != "console:outbox" or outbox.is_used())
    ]
    return sorted(counted, key=lambda one: not one.is_alarming)


def _counted(tile: Tile) -> CountedTile:
    number = tile.count()
    href = reverse(tile.url_name) + tile.query
    return CountedTile(tile.label, number, href, tile.is_alarm and number > 0)
