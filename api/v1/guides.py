from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from api.framework.request_validation import Asked
from api.framework.viewsets import Readable
from engine.registry.scopes import Scope
from portal.guides.choices import Audience, Topic
from portal.guides.models import Guide


class GuideSerializer(serializers.ModelSerializer[Any]):
    address = serializers.SerializerMethodField(help_text="Where people read it.")

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
    text = serializers.SerializerMethodField(help_text="In plain words.")

    class Meta(GuideSerializer.Meta):
        fields = read_only_fields = [*GuideSerializer.Meta.fields, "text"]

    def get_text(self, guide: Any) -> str:
        said = guide.body.stream_block.get_searchable_content(guide.body)
        return "\n\n".join(said)


class GuideFacts(Asked):
    topic = serializers.ChoiceField(choices=Topic.choices, required=False)
    audience = serializers.ChoiceField(choices=Audience.choices, required=False)


@extend_schema_view(
    list=extend_schema(summary="List guides", responses=GuideSerializer(many=True)),
    retrieve=extend_schema(summary="Read a guide", responses=WholeGuideSerializer),
)
class Guides(Readable):
    """How to do things here, as the public guides say it."""

    facts = GuideFacts
    scopes = {"list": Scope.READ_GUIDES, "retrieve": Scope.READ_GUIDES}

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = Guide.objects.live()
        return rows

    def get_serializer_class(self) -> Any:
        return GuideSerializer if self.action == "list" else WholeGuideSerializer
