from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("queue", "0009_index_mail_of_organisations"),
    ]

    operations = [
        migrations.AlterField(
            model_name="recipient",
            name="hold",
            field=models.CharField(
                blank=True,
                choices=[
                    ("operator", "By an operator"),
                    ("suspension", "While an organisation or address is suspended"),
                    ("restore", "After a restore: may have been sent already"),
                    ("withdrawn", "By a withdrawal or a re-scan"),
                ],
                max_length=10,
            ),
        ),
    ]
