"""How people sign in, and who administers: links, second factors and roles."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from api.framework.idempotency import idempotent
from api.framework.request_validation import ReasonRequest, validated
from api.framework.viewsets import Resource
from api.v1.registry.people import PersonSerializer, check_is_not_staff
from engine.registry.actions import roles
from engine.registry.models import Organisation, Person, RoleName
from engine.registry.scopes import Scope
from onboarding.first_sign_in import directory_sign_ins
from portal.account_admin import actions, policies


class LinkSerializer(serializers.Serializer[Any]):
    """Where a link was sent to."""

    sent_to = serializers.EmailField(help_text="The address that gets the link.")


class FactorResetSerializer(serializers.Serializer[Any]):
    """A requested reset of a second factor."""

    is_done = serializers.BooleanField(
        help_text="False while it waits for a second person, under “Waiting for a second "
        "person” in the organisation's pages."
    )


class Accounts(Resource):
    """How one person signs in, and whether they administer their organisation."""

    pagination_class = None
    serializer_class = PersonSerializer
    scopes = {
        "sign_in_link": Scope.WRITE_RECOVERY,
        "reset_second_factor": Scope.WRITE_RECOVERY,
        "give_administrator": Scope.WRITE_ROLES,
        "take_administrator": Scope.WRITE_ROLES,
    }

    def _person(self) -> Person:
        """Returns the person of the path. Raises Http404, and Conflict for staff."""
        rows = Person.objects.filter(organisation__isnull=False)
        rows = self.caller.visible(rows.select_related("organisation"))
        person = get_object_or_404(rows, pk=self.kwargs["person_id"])
        check_is_not_staff(person)
        return person

    @extend_schema(
        operation_id="people_sign_in_link",
        summary="Send a sign-in link",
        request=None,
        responses={status.HTTP_202_ACCEPTED: LinkSerializer},
    )
    @idempotent
    def sign_in_link(self, request: Request, person_id: int) -> Response:
        """Sends the person the link to choose a password, the first or another. It goes
        to the everyday address, or to the secure address where that mailbox is in the
        organisation's own server. A password and the app passwords that they had end.
        """
        person = self._person()
        if policies.may_get_sign_in(person):
            directory_sign_ins.give(person, by=self.caller.key)
        else:
            actions.send_sign_in_link(person, by=self.caller.key)
        sent_to = person.everyday_address or person.address
        return Response({"sent_to": sent_to}, status.HTTP_202_ACCEPTED)

    @extend_schema(
        operation_id="people_second_factor_reset",
        summary="Request a reset of the second factor",
        request=ReasonRequest,
        responses={status.HTTP_202_ACCEPTED: FactorResetSerializer},
    )
    @idempotent
    def reset_second_factor(self, request: Request, person_id: int) -> Response:
        """Requests that authenticator apps, passkeys and recovery codes be removed. A
        second person agrees in the organisation's pages, other than the one who made the
        key. The owner and the administrators are notified, and can refuse it.
        """
        person = self._person()
        reason = validated(request, ReasonRequest)["reason"]
        is_done = actions.reset_second_factor(person, reason=reason, by=self.caller.key)
        return Response({"is_done": is_done}, status.HTTP_202_ACCEPTED)

    @extend_schema(
        operation_id="people_give_administrator",
        summary="Make a person an administrator",
        request=None,
        responses=PersonSerializer,
    )
    def give_administrator(self, request: Request, person_id: int) -> Response:
        """Lets the person do in their organisation what administrators do. They need a
        second factor when they next sign in. Doing it again changes nothing.
        """
        person = self._person()
        roles.give(
            person,
            RoleName.ADMINISTRATOR,
            organisation=_organisation_of(person),
            by=self.caller.key,
        )
        return Response(PersonSerializer(person).data)

    @extend_schema(
        operation_id="people_take_administrator",
        summary="Take the administrator role away",
        request=None,
        responses={status.HTTP_204_NO_CONTENT: None},
    )
    def take_administrator(self, request: Request, person_id: int) -> Response:
        """Refused for the last administrator of an organisation."""
        person = self._person()
        roles.take(
            person,
            RoleName.ADMINISTRATOR,
            organisation=_organisation_of(person),
            by=self.caller.key,
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


def _organisation_of(person: Person) -> Organisation:
    if person.organisation is None:
        raise Http404
    return person.organisation
