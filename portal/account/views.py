from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from engine.registry.access import signed_in


@signed_in
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "account/home.html")


@signed_in
def app_passwords(request: HttpRequest) -> HttpResponse:
    return render(request, "account/app_passwords.html")


@signed_in
def revoke_app_password(request: HttpRequest, app_password_id: int) -> HttpResponse:
    return render(request, "account/revoke_app_password.html")
