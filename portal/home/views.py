"""The public pages, and the redirect after signing in."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from engine.antivirus.attachments.refused_kinds_listing import listing
from engine.health.alarms import alarm_lifecycle
from engine.registry.models import Person
from engine.registry.permissions import Visitor
from engine.registry.permissions.view_guards import public, signed_in
from onboarding.models import Application, Terms
from onboarding.terms import clauses
from portal.home import security_contact
from portal.home.data_retention import COOKIES, RECORDS
from portal.home.models import ServiceNotice
from portal.ui import navigation


@public
def home(request: HttpRequest) -> HttpResponse:
    """Shows the start page."""
    return render(request, "home/home.html", {"notices": _notices()})


@public
def help_page(request: HttpRequest) -> HttpResponse:
    """Shows how to contact the helpdesk."""
    return render(request, "home/help.html", {"notices": _notices()})


@public
def status(request: HttpRequest) -> HttpResponse:
    """Shows current alarms and notices, planned work, and notices of the last 30 days."""
    now = timezone.now()
    said = ServiceNotice.objects.all()
    lately = said.ended(now).filter(ends_at__gt=now - timedelta(days=30))
    context = {
        "troubles": alarm_lifecycle.public_notices(),
        "notices": said.shown(now),
        "to_come": said.to_come(now),
    }
    return render(request, "home/status.html", {**context, "ended": lately})


def _notices() -> QuerySet[ServiceNotice]:
    return ServiceNotice.objects.shown(timezone.now())


@public
def compare(request: HttpRequest) -> HttpResponse:
    """Compares the two kinds of account."""
    return render(request, "home/compare.html")


@public
def privacy(request: HttpRequest) -> HttpResponse:
    """Shows which data is stored, and for how long."""
    return render(request, "home/privacy.html", {"records": RECORDS})


@public
def cookies(request: HttpRequest) -> HttpResponse:
    """Lists the cookies."""
    return render(request, "home/cookies.html", {"cookies": COOKIES})


@public
def attachments(request: HttpRequest) -> HttpResponse:
    """Lists the kinds of files that messages cannot carry here."""
    return render(request, "home/attachments.html", {"listing": listing()})


@public
def terms(request: HttpRequest) -> HttpResponse:
    """Shows the current terms for each kind of applicant."""
    newest: dict[str, Terms] = {}
    for version in Terms.objects.order_by("audience", "-version"):
        newest.setdefault(version.audience, version)
    versions = [
        {"terms": each, "clauses": clauses(each.text)} for each in newest.values()
    ]
    return render(request, "home/terms.html", {"versions": versions})


@public
def security(request: HttpRequest) -> HttpResponse:
    """Shows how to report a vulnerability: the policy that security.txt refers to."""
    contacts = [contact.partition(":") for contact in security_contact.contacts()]
    shown = [
        {"href": f"{scheme}:{rest}", "scheme": scheme, "text": rest}
        for scheme, _, rest in contacts
    ]
    context = {"contacts": shown if settings.POSTERN.security_contacts else []}
    return render(request, "home/security.html", context)


@public
@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """Serves /.well-known/security.txt (RFC 9116)."""
    text = security_contact.text(timezone.now())
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "public, max-age=86400"
    return response


@public
def accessibility(request: HttpRequest) -> HttpResponse:
    """Shows the accessibility statement."""
    return render(request, "home/accessibility.html")


def _works_alone(person: Visitor) -> bool:
    """True for the only person of an organisation that applied for one user."""
    return (
        isinstance(person, Person)
        and Application.objects.filter(
            organisation=person.organisation_id, is_sole_user=True
        ).exists()
        and not Person.objects.filter(organisation=person.organisation_id)
        .exclude(pk=person.pk)
        .exists()
    )


@signed_in
def start(request: HttpRequest) -> HttpResponse:
    """Redirects a person who has just signed in to their main page."""
    areas = navigation.accessible_areas(request)
    if areas.is_staff:
        return redirect(navigation.ADMIN)
    if areas.is_administrator and not (areas.has_mail and _works_alone(request.user)):
        return redirect("organisation:home")
    if areas.has_mail:
        return redirect(navigation.MAIL)
    if areas.may_search:
        return redirect(navigation.DIRECTORY)
    return redirect("account:home")
