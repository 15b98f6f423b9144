from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("queue", "0010_held_by_withdrawals"),
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
                    ("unproven", "Its sender could not be proved"),
                ],
                max_length=10,
            ),
        ),
    ]
