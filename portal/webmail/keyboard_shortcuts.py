"""The keyboard shortcuts, for the page that lists them; `shortcuts.js` acts on them."""

from __future__ import annotations

SHORTCUTS = {
    "In a list": {
        "j or ↓": "go to the next message",
        "k or ↑": "go to the previous message",
        "Enter": "open it",
        "x": "choose it",
        "Shift+↓, Shift+↑": "choose several",
    },
    "In a message": {
        "j, k": "open the next or previous message",
        "r": "reply",
        "a": "reply to all",
        "f": "forward",
        "u": "go back to the list",
        "p": "show for printing",
    },
    "In both": {
        "e": "archive",
        "#": "delete",
        "!": "move to Junk",
        "Shift+U": "mark as unread",
        "m": "move to a folder",
    },
    "Everywhere": {
        "c": "write a message",
        "/": "search",
        "g": "go to the folders",
        "?": "show these shortcuts",
    },
}
