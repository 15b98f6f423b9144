from django.db import migrations
from django.db.models import F


def verify(apps, schema_editor):
    """Until now a domain that staff had approved counted as the organisation's own."""
    domain = apps.get_model("registry", "Domain")
    domain.objects.filter(verified_at=None).update(verified_at=F("created_at"))


class Migration(migrations.Migration):
    dependencies = [("registry", "0007_longer_directory_prefixes")]

    operations = [migrations.RunPython(verify, migrations.RunPython.noop)]
