from __future__ import annotations

from base64 import b64encode

from django.db import migrations, models
from django.utils.crypto import salted_hmac

import engine.secrets.secret_keys
from engine.secrets import secret_keys


def seal(apps, schema_editor):
    """Keep the secrets that were derived from the secret key, sealed with it."""
    for endpoint in apps.get_model("registry", "WebhookEndpoint").objects.all():
        endpoint.sealed_secret = _sealed(endpoint.sealed_secret)
        if endpoint.earlier_sealed_secret:
            earlier = endpoint.earlier_sealed_secret
            endpoint.earlier_sealed_secret = _sealed(earlier)
        endpoint.save()


def _sealed(seed):
    derived = salted_hmac("engine.registry.webhooks", seed, algorithm="sha256")
    return secret_keys.seal(
        "postern webhooks", "whsec_" + b64encode(derived.digest()).decode()
    )


KEYED_BY = models.CharField(
    default=engine.secrets.secret_keys.key_id,
    help_text="which secret key the digest was made with",
    max_length=16,
)


class Migration(migrations.Migration):
    dependencies = [("registry", "0012_sessions_and_networks")]

    operations = [
        migrations.AddField("apikey", "keyed_by", KEYED_BY),
        migrations.AddField("apppassword", "keyed_by", KEYED_BY),
        migrations.AddField("connectioncredential", "keyed_by", KEYED_BY),
        migrations.RenameField("webhookendpoint", "seed", "sealed_secret"),
        migrations.RenameField(
            "webhookendpoint", "earlier_seed", "earlier_sealed_secret"
        ),
        migrations.AlterField(
            "webhookendpoint", "sealed_secret", models.CharField(max_length=400)
        ),
        migrations.AlterField(
            "webhookendpoint",
            "earlier_sealed_secret",
            models.CharField(
                blank=True,
                help_text="signs too, until the day below",
                max_length=400,
            ),
        ),
        migrations.RunPython(seal, migrations.RunPython.noop),
    ]
