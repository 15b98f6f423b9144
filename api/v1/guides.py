"""The public guides, read-only."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from api.framework.request_validation import RequestSerializer
from api.framework.viewsets import ReadResource
from engine.registry.scopes import Scope
from portal.guides.choices import Audience, Topic
from portal.guides.models import Guide


class GuideSerializer(serializers.ModelSerializer[Any]):
    """A guide, without its text."""

    address = serializers.SerializerMethodField(help_text="Its web address.")

    class Meta:
        model = Guide
        fields = read_only_fields = [
            "id",
            "title",
            "summary",
            "topic",
            "audience",
            "reviewed_on",
            "address",
        ]

    def get_address(self, guide: Any) -> str:
        return f"{settings.POSTERN.site_url}{guide.get_url() or '/'}"


class WholeGuideSerializer(GuideSerializer):
    """A guide with its text."""

    text = serializers.SerializerMethodField(help_text="As plain text.")

    class Meta(GuideSerializer.Meta):
        fields = read_only_fields = [*GuideSerializer.Meta.fields, "text"]

    def get_text(self, guide: Any) -> str:
        texts = guide.body.stream_block.get_searchable_content(guide.body)
        return "\n\n".join(texts)


class GuideFilters(RequestSerializer):
    """The filters for guides."""

    topic = serializers.ChoiceField(choices=Topic.choices, required=False)
    audience = serializers.ChoiceField(choices=Audience.choices, required=False)


@extend_schema_view(
    list=extend_schema(summary="List guides", responses=GuideSerializer(many=True)),
    retrieve=extend_schema(summary="Read a guide", responses=WholeGuideSerializer),
)
class Guides(ReadResource):
    """The public guides: how to do things in this service."""

    filter_serializer = GuideFilters
    scopes = {"list": Scope.READ_GUIDES, "retrieve": Scope.READ_GUIDES}

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = Guide.objects.live()
        return rows

    def get_serializer_class(self) -> Any:
        return GuideSerializer if self.action == "list" else WholeGuideSerializer
