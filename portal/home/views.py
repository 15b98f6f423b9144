"""The pages everybody may read, and the way on after signing in."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from engine.registry.access import public, signed_in
from portal.ui import navigation


@public
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "home/home.html")


@public
def help_page(request: HttpRequest) -> HttpResponse:
    return render(request, "home/help.html")


@public
def privacy(request: HttpRequest) -> HttpResponse:
    return render(request, "home/privacy.html")


@public
def accessibility(request: HttpRequest) -> HttpResponse:
    return render(request, "home/accessibility.html")


@signed_in
def start(request: HttpRequest) -> HttpResponse:
    """Send a person who has just signed in to where their work is."""
    doors = navigation.doors_of(request)
    if doors.is_staff:
        return redirect(navigation.ADMIN)
    if doors.is_administrator:
        return redirect("organisation:home")
    if doors.has_mail:
        return redirect(navigation.MAIL)
    return redirect("account:home")
