from __future__ import annotations

from django.test import Client
from django.urls import reverse

from engine.audit.models import Entry
from engine.registry.models import Organisation, Person
from tests import jobs


def test_an_administrator_deletes_the_index_and_makes_it_again(
    admin_client: Client, alice: Person
) -> None:
    client, organisation = admin_client, alice.organisation
    address = reverse("organisation:search_index", args=[organisation.pk])

    page = client.get(address).content.decode()
    assert "not encrypted" in page and "can search for words" in page
    client.post(address, {"was": "on"})

    assert not Organisation.objects.get(pk=organisation.pk).indexes_mail
    assert "has no index" in client.get(address).content.decode()
    entry = Entry.objects.filter(event="organisation.edited").latest("pk")
    assert "indexes_mail" in entry.detail
    # A second click on the page as it was changes nothing.
    client.post(address, {"was": "on"})
    assert not Organisation.objects.get(pk=organisation.pk).indexes_mail
    client.post(address, {"was": "off"})
    assert Organisation.objects.get(pk=organisation.pk).indexes_mail
    settings = reverse("organisation:settings", args=[organisation.pk])
    assert "Members can search for words" in client.get(settings).content.decode()
    assert jobs.run_queued() > 0
