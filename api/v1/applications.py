"""Applications to join the community, read-only."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from api.framework.request_validation import RequestSerializer
from api.framework.viewsets import ReadResource
from engine.registry.models import AccountType
from engine.registry.scopes import Scope
from onboarding.models import Application
from onboarding.status import Status


class ApplicationSerializer(serializers.ModelSerializer[Application]):
    """An application."""

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


class ApplicationFilters(RequestSerializer):
    """The filters for applications."""

    reference = serializers.CharField(max_length=9, required=False)
    status = serializers.ChoiceField(choices=Status.choices, required=False)
    account_type = serializers.ChoiceField(choices=AccountType.choices, required=False)


@extend_schema_view(
    list=extend_schema(summary="List applications to join"),
    retrieve=extend_schema(summary="Read an application"),
)
class Applications(ReadResource):
    """Applications to join the community. Staff decide them in the console."""

    serializer_class = ApplicationSerializer
    filter_serializer = ApplicationFilters
    scopes = {"list": Scope.READ_APPLICATIONS, "retrieve": Scope.READ_APPLICATIONS}

    def get_queryset(self) -> QuerySet[Application]:
        # Defence in depth: no key of one organisation can hold the scope.
        if self.caller.organisation is not None:
            return Application.objects.none()
        return Application.objects.submitted()
