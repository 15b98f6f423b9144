from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0019_fold_names"),
    ]

    operations = [
        migrations.AddField(
            model_name="person",
            name="words",
            field=models.TextField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="organisation",
            name="words",
            field=models.TextField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="domain",
            name="words",
            field=models.TextField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="words",
            field=models.TextField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="distributionlist",
            name="words",
            field=models.TextField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="alias",
            name="words",
            field=models.TextField(editable=False, null=True),
        ),
    ]
