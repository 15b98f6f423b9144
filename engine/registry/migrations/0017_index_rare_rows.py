from __future__ import annotations

from django.db import migrations, models

from engine.database.index_operations import AddIndexBesideTraffic, AddTrigramIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("registry", "0016_index_people"),
    ]

    operations = [
        AddTrigramIndex("registry_person", "job_title", name="person_titles"),
        AddIndexBesideTraffic(
            model_name="person",
            index=models.Index(
                fields=["name", "id"],
                condition=models.Q(is_active=False),
                name="person_suspended",
            ),
        ),
        AddIndexBesideTraffic(
            model_name="person",
            index=models.Index(
                fields=["name", "id"],
                condition=models.Q(is_ex_directory=True),
                name="person_ex_directory",
            ),
        ),
        AddIndexBesideTraffic(
            model_name="mailbox",
            index=models.Index(
                fields=["organisation", "name", "id"],
                condition=models.Q(kind="group"),
                name="mailbox_of_group",
            ),
        ),
    ]
