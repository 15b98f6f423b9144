"""Signs in a person who has just chosen their first password."""

from __future__ import annotations

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from engine.registry.models import Person

START = "start"


def sign_in(request: HttpRequest, person: Person) -> HttpResponse:
    """Continues as if the person had typed the new password on the sign-in page.

    A second factor is required where one is set up. A person who is signed in as somebody
    else, such as an administrator who helps a newcomer, stays signed in.
    """
    if request.user.is_authenticated:
        messages.success(request, f"The password of {person.address} is set.")
        return redirect(START)
    messages.success(request, "Your password is set. From now on, sign in with it.")
    # What was read before the password was set would not match the session.
    person = Person.objects.get(pk=person.pk)
    record_authentication(request, person, method="password")
    response: HttpResponse = perform_login(
        request, Login(user=person, redirect_url=reverse(START))
    )
    return response
