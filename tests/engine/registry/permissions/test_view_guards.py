from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse

from engine.registry.models import Organisation
from engine.registry.permissions import Permission
from engine.registry.permissions.view_guards import Access, public, requires, signed_in

pytestmark = pytest.mark.django_db


def view(request, **kwargs):
    return HttpResponse("reached")


@pytest.fixture
def ask(rf, settings):
    settings.LOGIN_URL = "/sign-in/"

    def ask(guarded, user, **kwargs):
        request = rf.get("/page/?x=1")
        request.user = user or AnonymousUser()
        return guarded(request, **kwargs)

    return ask


def test_each_guard_says_what_it_asks():
    assert public(view).access == Access(is_public=True)
    assert signed_in(view).access == Access()
    guarded = requires(Permission.MANAGE_PEOPLE)(view)
    assert guarded.access == Access(permission=Permission.MANAGE_PEOPLE)


def test_guarding_leaves_the_view_itself_alone():
    public(view)

    assert not hasattr(view, "access")


def test_public_lets_everybody_in(ask):
    assert ask(public(view), None).content == b"reached"


def test_signed_in_lets_members_in(ask, bob):
    assert ask(signed_in(view), bob).content == b"reached"


@pytest.mark.parametrize("guard", [signed_in, requires(Permission.USE_MAIL)])
def test_guard_sends_strangers_to_sign_in_and_back(ask, guard):
    response = ask(guard(view), None)

    assert response.status_code == 302
    assert response.url == "/sign-in/?next=/page/%3Fx%3D1"


@pytest.mark.parametrize("guard", [signed_in, requires(Permission.USE_MAIL)])
def test_guard_refuses_members_of_a_suspended_organisation(ask, bob, guard):
    bob.organisation.status = "suspended"

    with pytest.raises(PermissionDenied):
        ask(guard(view), bob)


def test_requires_without_a_place_asks_about_ones_own(ask, alice, bob):
    guarded = requires(Permission.MANAGE_PEOPLE)(view)

    assert ask(guarded, alice).content == b"reached"
    with pytest.raises(PermissionDenied):
        ask(guarded, bob)


def test_requires_asks_about_the_organisation_in_the_url(ask, alice, charlie):
    guarded = requires(Permission.MANAGE_PEOPLE, "organisation_id")(view)
    northfield = alice.organisation_id

    assert ask(guarded, alice, organisation_id=northfield).content == b"reached"
    with pytest.raises(PermissionDenied):
        ask(guarded, charlie, organisation_id=northfield)


def test_requires_asks_about_the_organisation_that_a_function_finds(
    ask, alice, charlie
):
    def organisation_of(request, *, address):
        return Organisation.objects.filter(people__address=address).first()

    guarded = requires(Permission.MANAGE_PEOPLE, organisation_of)(view)

    assert ask(guarded, alice, address=alice.address).content == b"reached"
    with pytest.raises(PermissionDenied):
        ask(guarded, charlie, address=alice.address)


def test_requires_refuses_what_is_not_there_like_what_is_not_theirs(
    ask, alice, charlie
):
    guarded = requires(Permission.MANAGE_PEOPLE, "organisation_id")(view)

    with pytest.raises(PermissionDenied) as not_there:
        ask(guarded, charlie, organisation_id=0)
    with pytest.raises(PermissionDenied) as not_theirs:
        ask(guarded, charlie, organisation_id=alice.organisation_id)
    assert str(not_there.value) == str(not_theirs.value)


def test_requires_never_falls_back_on_ones_own_organisation(ask, alice):
    guarded = requires(Permission.MANAGE_PEOPLE, lambda request: None)(view)

    with pytest.raises(PermissionDenied):
        ask(guarded, alice)
