from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("trace", "0008_index_events_after_delivery")]

    operations = [
        # Choices only: no database changes anything.
        migrations.AlterField(
            model_name="event",
            name="kind",
            field=models.CharField(
                choices=[
                    ("received", "Received"),
                    ("refused", "Refused"),
                    ("quarantined", "Quarantined"),
                    ("delivered", "Delivered"),
                    ("relayed", "Handed to the next server"),
                    ("expanded", "Sent on to a distribution list"),
                    ("deferred", "Will be tried again"),
                    ("failed", "Could not be delivered"),
                    ("held", "Held"),
                    ("released", "Released"),
                    ("dropped", "Dropped"),
                    ("recalled", "Recalled by its sender"),
                    ("withdrawn", "Withdrawn from the mailbox"),
                    ("put_back", "Put back into the mailbox"),
                    ("not_recalled", "Could not be recalled"),
                    ("downloaded", "A file sent as a link was downloaded"),
                    ("link_refused", "A file sent as a link was refused"),
                    ("link_ended", "A file sent as a link has ended"),
                ],
                max_length=12,
            ),
        ),
    ]
