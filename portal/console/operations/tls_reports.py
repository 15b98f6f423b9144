"""TLS reports that other servers send: failures by kind, a plot of days, and each report."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Sum
from django.db.models.functions import TruncDate
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from engine.network import dns
from engine.registry.permissions import Permission
from engine.tls_reports import dns_record, result_types
from engine.tls_reports.models import Failure, Report
from portal.console.access import held_as_staff, staff
from portal.console.operations.day_charts import HEIGHT, Bar
from portal.console.page import Cell, Page, Section, Table, render_page
from portal.ui.pagination import paginate

ICON = "lock"
TITLE = "TLS reports"
CHECK = Permission.MANAGE_STAFF
ABOVE = (("console:tls_reports", TITLE),)
DAYS = 30
# In units of the SVG drawing.
STEP = 19
KINDS = 20  # of failures in the table
HOSTS = 200  # rows of one report's details
TEXT = (
    "Other mail servers report each day how many of their connections to ours were "
    "encrypted, and why some failed. They do once the record below is in the DNS."
)


@staff(Permission.VIEW_QUEUE)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The record, the last thirty days, and the reports, the newest day first."""
    today = timezone.now().date()
    since = timezone.now() - timedelta(days=DAYS)
    found = paginate(request, Report.objects.all(), by="starts_at", descending=True)
    sections = [
        Section(text=TEXT),
        Section(
            f"Failures of the last {DAYS} days",
            table=Table(
                ("What failed", "Sessions", "What to do"),
                _kinds(since),
                "No failure was reported.",
            ),
        ),
        Section(
            "Reports",
            table=Table(
                ("Day", "Organisation", "Encrypted", "Failed"),
                [_row(one) for one in found.rows],
                "No report has arrived yet.",
            ),
        ),
    ]
    page = Page(
        TITLE,
        ICON,
        sections,
        links=found.links,
        template="tls_reports",
        more=_record()
        | _days(today)
        | {"may_check": CHECK in held_as_staff(request.user)},
    )
    return render_page(request, page)


@staff(CHECK)
@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Looks the DNS record up now."""
    dns.flush_cache()
    problem = dns_record.problem()
    if problem:
        messages.warning(request, problem)
    else:
        messages.success(request, "The record is there.")
    return redirect("console:tls_reports")


@staff(Permission.VIEW_QUEUE)
@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One report with the failures that it tells of."""
    report = get_object_or_404(Report, pk=pk)
    details = report.failure_details.order_by("-sessions", "pk")[:HOSTS]
    facts = [
        ("From", Cell(at=report.starts_at)),
        ("Until", Cell(at=report.ends_at)),
        ("Encrypted sessions", Cell(f"{report.successes:,}")),
        ("Failed sessions", Cell(f"{report.failures:,}")),
        ("Contact", Cell(report.contact or "None given")),
        ("Sent by", Cell(report.sender or "The null sender")),
        ("Arrived", Cell(at=report.received_at)),
        ("Report id", Cell(report.report_id)),
    ]
    table = Table(
        ("What failed", "Sessions", "Our server", "Their address", "Their words"),
        [_detail(one) for one in details],
        "It tells of no failure in detail.",
    )
    sections = [Section(facts=facts), Section("Failures", table=table)]
    return render_page(request, Page(report.reporter, ICON, sections, above=ABOVE))


def _record() -> dict[str, Any]:
    return {"record_name": dns_record.name(), "record_value": dns_record.value()}


def _kinds(since: datetime) -> list[list[Cell]]:
    rows = (
        Failure.objects.filter(report__starts_at__gte=since)
        .values("result_type")
        .annotate(count=Sum("sessions"))
        .order_by("-count")[:KINDS]
    )
    return [
        [Cell(words.meaning), Cell(f"{row['count']:,}"), Cell(words.what_to_do)]
        for row in rows
        for words in [result_types.explain(row["result_type"])]
    ]


def _row(report: Report) -> list[Cell]:
    return [
        Cell(
            f"{report.starts_at.date():%d/%m/%Y}",
            reverse("console:tls_report", args=[report.pk]),
        ),
        # Anybody can write any name; the address was checked.
        Cell(report.reporter, note=report.sender),
        Cell(f"{report.successes:,}"),
        Cell(f"{report.failures:,}", is_alarming=report.failures > 0),
    ]


def _detail(row: Failure) -> list[Cell]:
    return [
        Cell(result_types.explain(row.result_type).meaning),
        Cell(f"{row.sessions:,}"),
        Cell(row.receiving_host),
        Cell(row.sending_address),
        Cell(row.reason),
    ]


def _days(today: date) -> dict[str, Any]:
    """Returns the plot of failed sessions by UTC days, the last one today."""
    first = today - timedelta(days=DAYS - 1)
    since = datetime.combine(first, time.min, UTC)
    rows = (
        Report.objects.filter(starts_at__gte=since, failures__gt=0)
        .annotate(day=TruncDate("starts_at", tzinfo=UTC))
        .values("day")
        .annotate(count=Sum("failures"))
    )
    counts = {row["day"]: int(row["count"]) for row in rows}
    most = max(counts.values(), default=0)
    bars = [
        Bar((day - first).days * STEP, round(HEIGHT - height, 1), round(height, 1))
        for day, count in sorted(counts.items())
        if day <= today
        for height in [max(1.0, HEIGHT * count / most)]
    ]
    return {"bars": bars, "most": f"{most:,}", "days": DAYS}
