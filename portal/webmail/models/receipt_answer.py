"""Readers' answers to requests for a receipt."""

from __future__ import annotations

from django.db import models

from engine.storage.models import Message


class ReceiptAnswer(models.Model):
    """That a reader sent a receipt for a message, or decided not to."""

    message = models.OneToOneField(
        Message, on_delete=models.CASCADE, related_name="receipt_answer"
    )
    is_sent = models.BooleanField()
    answered_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"receipt for {self.message_id}"
