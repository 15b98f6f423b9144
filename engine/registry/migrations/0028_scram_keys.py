from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0027_require_classification"),
    ]

    operations = [
        migrations.AddField(
            model_name="apppassword",
            name="scram",
            field=models.TextField(
                blank=True,
                db_default="",
                default="",
                help_text="what SCRAM proofs are checked with, sealed; empty until it is known",
            ),
        ),
    ]
