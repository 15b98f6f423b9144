from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from api.framework.request_validation import Asked
from api.framework.viewsets import Readable
from engine.registry.models import AccountType
from engine.registry.scopes import Scope
from onboarding.models import Application
from onboarding.status import Status


class ApplicationSerializer(serializers.ModelSerializer[Application]):
    class Meta:
        model = Application
        fields = read_only_fields = [
            "id",
            "reference",
            "status",
            "submitted_at",
            "organisation_name",
            "kind",
            "town",
            "account_type",
            "member_domain",
            "community_domain",
            "applicant_name",
            "applicant_job_title",
            "decided_at",
            "decision_reason",
            "organisation",
        ]


class ApplicationFacts(Asked):
    reference = serializers.CharField(max_length=9, required=False)
    status = serializers.ChoiceField(choices=Status.choices, required=False)
    account_type = serializers.ChoiceField(choices=AccountType.choices, required=False)


@extend_schema_view(
    list=extend_schema(summary="List applications to join"),
    retrieve=extend_schema(summary="Read an application"),
)
class Applications(Readable):
    """Organisations that ask to join. A person decides them, in the console."""

    serializer_class = ApplicationSerializer
    facts = ApplicationFacts
    scopes = {"list": Scope.READ_APPLICATIONS, "retrieve": Scope.READ_APPLICATIONS}

    def get_queryset(self) -> QuerySet[Application]:
        # No key of one organisation can hold the scope.
        if self.caller.organisation is not None:
            return Application.objects.none()
        return Application.objects.sent_in()
