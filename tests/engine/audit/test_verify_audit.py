from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from engine.audit.models import Entry
from engine.audit.record import record
from tests import factories

pytestmark = pytest.mark.django_db


def test_verify_audit_prints_the_length_of_the_chain(capsys):
    organisation = factories.make_organisation()
    record("organisation.added", organisation, by=None)
    record("organisation.activated", organisation, by=None)

    call_command("verify_audit")

    said = capsys.readouterr().out
    assert "No checkpoint proves any entry." in said
    assert said.endswith("The audit chain is intact: 2 entries.\n")


def test_verify_audit_names_the_changed_entry_and_fails():
    entry = record("organisation.added", factories.make_organisation(), by=None)
    Entry.objects.filter(pk=entry.pk).update(by_name="Somebody else")

    with pytest.raises(CommandError, match=f"Entry {entry.pk} ") as failure:
        call_command("verify_audit")
    assert failure.value.returncode == 1
