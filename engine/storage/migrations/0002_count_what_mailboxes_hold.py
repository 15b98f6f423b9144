from __future__ import annotations

from django.db import migrations
from django.db.models import OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce


def count(apps, schema_editor):
    messages = apps.get_model("storage", "Message").objects
    held = messages.filter(mailbox=OuterRef("pk")).order_by().values("mailbox")
    octets = held.annotate(octets=Sum("size")).values("octets")
    mailboxes = apps.get_model("registry", "Mailbox").objects
    mailboxes.update(used_bytes=Coalesce(Subquery(octets), 0))


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0002_used_bytes"),
        ("storage", "0001_initial"),
    ]

    operations = [migrations.RunPython(count, migrations.RunPython.noop)]
