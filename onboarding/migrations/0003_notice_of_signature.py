from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0002_apply_by_link"),
    ]

    operations = [
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("apply", "Begin or return to an application"),
                    ("received", "Application received"),
                    ("to_officer", "An application waits"),
                    ("sponsor", "Will you sponsor?"),
                    ("sign", "Please sign the terms"),
                    ("sponsor_answered", "The sponsor has answered"),
                    ("signed", "The terms are signed"),
                    ("question", "We have a question"),
                    ("answered", "The applicant has answered"),
                    ("rejected", "Rejected"),
                    ("welcome", "Welcome"),
                    ("first_sign_in", "First sign-in"),
                    ("letter", "A new welcome letter"),
                    ("sign_in_claim", "A directory sign-in to take"),
                    ("has_sign_in", "There is a sign-in already"),
                ],
                max_length=20,
            ),
        ),
    ]
