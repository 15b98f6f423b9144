"""Names a browser by its User-Agent, so that people recognise their own."""

from __future__ import annotations

# The first match counts: Edge's header also says Chrome, and Chrome's also Safari.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_of(user_agent: str) -> str:
    """Returns a name such as “Firefox on Windows”, never text from the header itself."""
    browser = _named(BROWSERS, user_agent) or "Another browser"
    system = _named(SYSTEMS, user_agent)
    return f"{browser} on {system}" if system else browser


def _named(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for mark, name in names if mark in user_agent), "")
