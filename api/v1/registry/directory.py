"""Searches the directory."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.framework.pagination import PageSerializer, place_of
from api.framework.request_validation import IdField, RequestSerializer, validated_query
from api.framework.viewsets import Resource
from engine.registry import directory
from engine.registry.directory import EntryKind
from engine.registry.models import Kind
from engine.registry.scopes import Scope


class DirectorySearch(RequestSerializer):
    """The query parameters of a directory search."""

    q = serializers.CharField(
        max_length=200,
        required=False,
        allow_blank=True,
        default="",
        help_text="The first letters of words in a name, job title, address or organisation.",
    )
    kind = serializers.ChoiceField(
        choices=EntryKind.choices, required=False, help_text="The kind of entry."
    )
    organisation = IdField(required=False)
    organisation_kind = serializers.ChoiceField(choices=Kind.choices, required=False)
    town = serializers.CharField(
        max_length=100,
        required=False,
        allow_blank=True,
        default="",
        help_text="The first letters of its name.",
    )
    cursor = serializers.CharField(
        required=False, help_text="From `next` of another page."
    )
    limit = serializers.IntegerField(min_value=1, max_value=100, default=25)


class EntrySerializer(serializers.Serializer[Any]):
    """One entry of the directory."""

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
        help_text="False where only its own organisation sees it."
    )


class FoundSerializer(PageSerializer):
    """One page of directory entries."""

    previous = serializers.URLField(
        allow_null=True, help_text="Always null: a search goes forwards only."
    )
    results = EntrySerializer(many=True)
    total = serializers.IntegerField(
        allow_null=True, help_text="On the first page only, and null above 200."
    )


class Directory(Resource):
    """The directory of people, organisations, lists and group mailboxes."""

    serializer_class = FoundSerializer
    pagination_class = None
    scopes = {"list": Scope.SEARCH_DIRECTORY}

    @extend_schema(
        operation_id="directory_list",
        summary="Search the directory",
        parameters=[DirectorySearch],
        responses=FoundSerializer,
    )
    def list(self, request: Request) -> Response:
        """Returns entries in alphabetical order; all of them without search terms."""
        query, place = validated_query(request, DirectorySearch), place_of(request)
        page = directory.search(
            query["q"],
            viewer=self.caller.key,
            kinds=[EntryKind(query["kind"])] if "kind" in query else (),
            organisation=query.get("organisation"),
            town=query["town"],
            kind=query.get("organisation_kind", ""),
            after=None if place.row is None else str(place.row),
            limit=query["limit"],
        )
        entries = [asdict(entry) for entry in page.entries]
        last = [] if page.next is None else [int(page.next)]
        links = place.links(request, last, goes_on=bool(last))
        found = {**links, "previous": None, "results": entries, "total": page.total}
        return Response(FoundSerializer(found).data)
