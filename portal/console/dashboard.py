"""The counts on the console's home: what waits for whom, and where to see it."""

from __future__ import annotations

from django.urls import reverse

from engine.jobs.models import JobRun
from engine.queue.models import RecipientStatus
from engine.registry.models import (
    Connection,
    Domain,
    Organisation,
    OrganisationStatus,
)
from engine.registry.permissions import Permission, Visitor
from onboarding.connecting.models import Watch
from onboarding.status import Status
from portal.console import dashboard_counts
from portal.console.access import held_as_staff
from portal.console.guides import shelves
from portal.console.mail import outbox
from portal.console.tile import Counted, Tile
from portal.helpdesk.models import Ticket
from portal.helpdesk.status import Status as TicketStatus

TILES = (
    Tile(
        "Applications to decide",
        Permission.VIEW_APPLICATIONS,
        dashboard_counts.applications(Status.SUBMITTED),
        "vetting:index",
        "?status=submitted",
    ),
    Tile(
        "Applications for a second officer",
        Permission.VIEW_APPLICATIONS,
        dashboard_counts.applications(Status.RECOMMENDED),
        "vetting:index",
        "?status=recommended",
    ),
    Tile(
        "Applications that wait for the applicant",
        Permission.VIEW_APPLICATIONS,
        dashboard_counts.applications(Status.QUERIED),
        "vetting:index",
        "?status=queried",
    ),
    Tile(
        "Recipients waiting for delivery",
        Permission.VIEW_QUEUE,
        dashboard_counts.waiting(RecipientStatus.QUEUED),
        "console:queue",
        "?status=queued",
    ),
    Tile(
        "Recipients held",
        Permission.VIEW_QUEUE,
        dashboard_counts.waiting(RecipientStatus.HELD),
        "console:queue",
        "?status=held",
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
        dashboard_counts.failed_today,
        "console:trace",
        "?kind=failed",
        is_alarm=True,
    ),
    Tile(
        "Infected messages in the last 7 days",
        Permission.VIEW_QUARANTINE,
        dashboard_counts.quarantined_this_week,
        "console:quarantine",
        is_alarm=True,
    ),
    Tile(
        "Organisations being set up",
        Permission.VIEW_APPLICATIONS,
        dashboard_counts.applications(Status.APPROVED),
        "vetting:index",
        "?status=approved",
    ),
    Tile(
        "Accounts that wait for a second person",
        Permission.MANAGE_PEOPLE,
        dashboard_counts.second_person,
        "members:recovery",
    ),
    Tile(
        "Tickets late or nearly",
        Permission.VIEW_TICKETS,
        dashboard_counts.late_tickets,
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
        dashboard_counts.waiting_long,
        "console:queue",
        "?status=queued&hours=2",
        is_alarm=True,
    ),
    Tile(
        "Domains that are not proved",
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
        dashboard_counts.ending,
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
        shelves.count(shelves.DUE),
        "guide_desk:reviews",
        f"?show={shelves.DUE}",
        is_alarm=True,
    ),
    Tile(
        "Guides with changes to publish",
        Permission.EDIT_GUIDES,
        shelves.count(shelves.DRAFTS),
        "guide_desk:reviews",
        f"?show={shelves.DRAFTS}",
    ),
    Tile(
        "Comments on guides in the last 7 days",
        Permission.EDIT_GUIDES,
        dashboard_counts.comments_this_week,
        "guide_desk:feedback",
    ),
    Tile(
        "Notices in the outbox", Permission.VIEW_OUTBOX, outbox.count, "console:outbox"
    ),
)


def tiles_for(person: Visitor) -> list[Counted]:
    """What needs attention first, then the rest."""
    held = held_as_staff(person)
    counted = [
        _counted(tile)
        for tile in TILES
        if tile.permission in held
        and (tile.url_name != "console:outbox" or outbox.is_used())
    ]
    return sorted(counted, key=lambda one: not one.is_alarming)


def _counted(tile: Tile) -> Counted:
    number = tile.count()
    href = reverse(tile.url_name) + tile.query
    return Counted(tile.label, number, href, tile.is_alarm and number > 0)
