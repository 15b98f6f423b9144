"""The network addresses that a server sends from, as somebody types them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from engine.registry.connections.policy import normalise
from engine.registry.errors import PolicyError

MAX_NETWORKS = 20


class NetworksField(forms.CharField):
    """Network addresses, one a line, cleaned into a list in CIDR notation."""

    def clean(self, value: Any) -> list[str]:
        lines = str(super().clean(value)).split()
        if len(lines) > MAX_NETWORKS:
            raise ValidationError(f"Enter no more than {MAX_NETWORKS} addresses")
        try:
            cleaned: list[str] = normalise({"source_networks": lines})[
                "source_networks"
            ]
        except PolicyError as refusal:
            raise ValidationError(str(refusal)) from refusal
        return cleaned
