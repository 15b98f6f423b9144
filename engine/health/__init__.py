"""Monitors the service: heartbeats, checks, alarms, metrics and readiness.

Each process runs a `monitor` beside its work. One of them, the leader, runs the checks of
`checks`, keeps the alarms of `alarms` and notifies the operators; `metrics` is what
Prometheus reads.
"""

from __future__ import annotations
