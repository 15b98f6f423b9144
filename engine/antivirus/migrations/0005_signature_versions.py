from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("antivirus", "0004_index_words"),
    ]

    operations = [
        migrations.AddField(
            model_name="scannerproof",
            name="signatures",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="their version, as clamd tells it",
                max_length=200,
            ),
        ),
    ]
