from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.framework.request_validation import Asked, IdField, queried
from api.framework.viewsets import Resource
from engine.registry import directory
from engine.registry.directory import EntryKind
from engine.registry.models import Kind
from engine.registry.scopes import Scope


class Question(Asked):
    q = serializers.CharField(
        max_length=200,
        required=False,
        allow_blank=True,
        default="",
        help_text="Beginnings of words: of a name, job title, address or organisation.",
    )
    kind = serializers.ChoiceField(
        choices=EntryKind.choices, required=False, help_text="What to find."
    )
    organisation = IdField(required=False)
    organisation_kind = serializers.ChoiceField(choices=Kind.choices, required=False)
    town = serializers.CharField(
        max_length=100,
        required=False,
        allow_blank=True,
        default="",
        help_text="How its name begins.",
    )
    after = serializers.RegexField(
        r"^[0-9]{1,19}\Z", required=False, help_text="`next` of another page."
    )
    limit = serializers.IntegerField(min_value=1, max_value=100, default=25)


class EntrySerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=EntryKind.choices)
    id = serializers.IntegerField()
    name = serializers.CharField()
    address = serializers.CharField(allow_blank=True)
    organisation_id = serializers.IntegerField()
    organisation = serializers.CharField()
    organisation_kind = serializers.ChoiceField(choices=Kind.choices)
    town = serializers.CharField(allow_blank=True)
    job_title = serializers.CharField(allow_blank=True)
    phone = serializers.CharField(allow_blank=True)
    is_published = serializers.BooleanField(
        help_text="False where only the organisation itself sees it."
    )


class FoundSerializer(serializers.Serializer[Any]):
    results = EntrySerializer(many=True)
    next = serializers.CharField(allow_null=True)
    total = serializers.IntegerField(
        allow_null=True, help_text="On the first page, where it is no more than 200."
    )


class Directory(Resource):
    """People, organisations, lists and group mailboxes that may be written to."""

    serializer_class = FoundSerializer
    pagination_class = None
    scopes = {"list": Scope.SEARCH_DIRECTORY}

    @extend_schema(
        operation_id="directory_list",
        summary="Search the directory",
        parameters=[Question],
        responses=FoundSerializer,
    )
    def list(self, request: Request) -> Response:
        """In the order of the alphabet. Without a question: everything."""
        said = queried(request, Question)
        page = directory.search(
            said["q"],
            viewer=self.caller.key,
            kinds=[EntryKind(said["kind"])] if "kind" in said else (),
            organisation=said.get("organisation"),
            town=said["town"],
            kind=said.get("organisation_kind", ""),
            after=said.get("after"),
            limit=said["limit"],
        )
        entries = [asdict(entry) for entry in page.entries]
        found = {"results": entries, "next": page.next, "total": page.total}
        return Response(FoundSerializer(found).data)
