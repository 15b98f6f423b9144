from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from engine.audit.models import Entry
from engine.registry.models import Organisation, Person


def test_an_administrator_requires_a_classification_and_stops(
    admin_client: Client, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, organisation = admin_client, alice.organisation
    address = reverse("organisation:classification", args=[organisation.pk])
    overview = reverse("organisation:settings", args=[organisation.pk])

    assert "uses no classifications" in client.get(address).content.decode()
    assert "Classification" not in client.get(overview).content.decode()
    monkeypatch.setattr(settings.POSTERN, "classifications", ["OFFICIAL"])
    assert "may leave it out" in client.get(address).content.decode()
    client.post(address, {"was": "off"})

    assert Organisation.objects.get(pk=organisation.pk).requires_classification
    assert "must have one" in client.get(overview).content.decode()
    entry = Entry.objects.filter(event="organisation.edited").latest("pk")
    assert "requires_classification" in entry.detail
    # A second click on the page as it was changes nothing.
    client.post(address, {"was": "off"})
    assert Organisation.objects.get(pk=organisation.pk).requires_classification
    client.post(address, {"was": "on"})
    assert not Organisation.objects.get(pk=organisation.pk).requires_classification

    monkeypatch.setattr(settings.POSTERN, "classification_required", True)
    assert "requires one of everybody" in client.get(address).content.decode()
