"""What is written to the log, and how: JSON in production, lines to read elsewhere.

Everything goes one way, to standard error: our own events by structlog, and what Django,
uvicorn and the libraries say by the standard library.
"""

from __future__ import annotations

from typing import Any

import structlog
from structlog.types import Processor

_SHARED: list[Processor] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]

# Of what the standard library's loggers add, no more: a request shows its whole address,
# which may be a secret.
_EXTRA = {"status_code"}
# Without local variables: a traceback would show secrets and parts of messages.
_JSON: list[Processor] = [
    structlog.processors.format_exc_info,
    structlog.processors.JSONRenderer(),
]
_READABLE: list[Processor] = [
    structlog.dev.ConsoleRenderer(
        colors=False, exception_formatter=structlog.dev.plain_traceback
    )
]


def configure(*, is_production: bool) -> dict[str, Any]:
    """Set structlog up, and return Django's LOGGING."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    rendering = _JSON if is_production else _READABLE
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": [*_SHARED, structlog.stdlib.ExtraAdder(_EXTRA)],
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *rendering,
        ],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"event": formatter},
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "event"}
        },
        "root": {"handlers": ["console"], "level": "INFO"},
        "loggers": {
            "django_tasks": {"level": "WARNING"},
            "fontTools": {"level": "ERROR"},
            "mail.log": {"level": "WARNING"},
            "wagtail": {"level": "WARNING"},
            "weasyprint": {"level": "WARNING"},
        },
    }
