from __future__ import annotations

from django.db import migrations, models

from engine.database.index_operations import (
    AddIndexBesideTraffic,
    AddWordsIndex,
    DropTrigramIndex,
)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("registry", "0020_words"),
    ]

    operations = [
        AddIndexBesideTraffic(
            model_name="person",
            index=models.Index(
                fields=["id"], condition=models.Q(words=None), name="person_no_words"
            ),
        ),
        AddWordsIndex("registry_person", name="person_folded"),
        AddIndexBesideTraffic(
            model_name="organisation",
            index=models.Index(
                fields=["id"],
                condition=models.Q(words=None),
                name="organisation_no_words",
            ),
        ),
        AddWordsIndex("registry_organisation", name="organisation_folded"),
        AddIndexBesideTraffic(
            model_name="domain",
            index=models.Index(
                fields=["id"], condition=models.Q(words=None), name="domain_no_words"
            ),
        ),
        AddWordsIndex("registry_domain", name="domain_folded"),
        AddIndexBesideTraffic(
            model_name="mailbox",
            index=models.Index(
                fields=["id"], condition=models.Q(words=None), name="mailbox_no_words"
            ),
        ),
        AddWordsIndex(
            "registry_mailbox", name="group_mailbox_folded", where="kind = 'group'"
        ),
        AddIndexBesideTraffic(
            model_name="distributionlist",
            index=models.Index(
                fields=["id"], condition=models.Q(words=None), name="list_no_words"
            ),
        ),
        AddWordsIndex("registry_distributionlist", name="list_folded"),
        AddIndexBesideTraffic(
            model_name="alias",
            index=models.Index(
                fields=["id"], condition=models.Q(words=None), name="alias_no_words"
            ),
        ),
        AddWordsIndex("registry_alias", name="alias_folded"),
        DropTrigramIndex("registry_person", "name", "address", name="person_words"),
        DropTrigramIndex("registry_person", "job_title", name="person_titles"),
    ]
