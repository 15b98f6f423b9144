"""The audit trail, read-only."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from api.framework.request_validation import RequestSerializer
from api.framework.viewsets import ReadResource
from engine.audit.models import Entry
from engine.registry.scopes import Scope


class AuditEntrySerializer(serializers.ModelSerializer[Entry]):
    """An audit entry, with the digests that chain it to its predecessor."""

    detail = serializers.DictField(read_only=True)

    class Meta:
        model = Entry
        fields = read_only_fields = [
            "id",
            "at",
            "event",
            "subject_kind",
            "subject_key",
            "subject_name",
            "organisation_key",
            "by_key",
            "by_name",
            "detail",
            "digest",
            "previous_digest",
        ]


class AuditFilters(RequestSerializer):
    """The filters for audit entries."""

    event = serializers.CharField(
        max_length=80, required=False, help_text="Such as person.added."
    )
    subject_kind = serializers.CharField(max_length=80, required=False)
    subject_key = serializers.CharField(max_length=80, required=False)
    by_key = serializers.CharField(max_length=80, required=False)


@extend_schema_view(
    list=extend_schema(summary="List audit entries"),
    retrieve=extend_schema(summary="Read an audit entry"),
)
class Audit(ReadResource):
    """The audit trail: who did what, and when. Entries cannot be changed."""

    serializer_class = AuditEntrySerializer
    filter_serializer = AuditFilters
    scopes = {"list": Scope.READ_AUDIT, "retrieve": Scope.READ_AUDIT}

    def get_queryset(self) -> QuerySet[Entry]:
        return self.caller.visible(Entry.objects.all(), "organisation_key")
