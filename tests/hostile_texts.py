"""Texts that a key, a name or a cell may hold, and that some place where people read would obey.

Belongs here: the texts. Does not belong here: the places (`tests/test_shown_texts.py`).
"""

from __future__ import annotations

import re

MARKER = "http://127.0.0.1:9/marker"
# What is left of it where a store makes one slash of two.
BAIT = "127.0.0.1:9/marker"

# Name → text. Each is short enough for a key.
HOSTILE = {
    "picture": f"![x]({MARKER})",
    "picture of this server": "![x](/graphql?query=mutation-127.0.0.1:9/marker)",
    "picture after code": f"`` ` ![x]({MARKER}) `",
    "picture of HTML": f'<img src="{MARKER}" onerror="alert(1)">',
    "script": "<script>alert(1)</script>",
    "link": f"[click]({MARKER})",
    "address": f"see {MARKER}?query=mutation",
    "address without scheme": "evil.com/graphql?query=mutation",
    "heading": "# Everything is fine",
    "table": "a | b\n--- | ---\n1 | 2",
    "mention": "<!channel> <!here> @here <@U1234> <#C1234>",
    "Slack's link": f"<{MARKER}|Open in Dagster>",
    "Slack's marks": "*bold* _italic_ ~gone~ `code` :warning:",
    "colour": "\x1b[31mred\x1b[0m",
    "clear": "\x1b[2J\x1b[H",
    "title": "\x1b]0;owned\x07",
    "link of a terminal": f"\x1b]8;;{MARKER}\x1b\\click\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;ZXZpbA==\x07",
    "C1": "\x9b31m\x9d0;owned\x9c",
    "back": "good\b\b\b\bevil\x7f",
    "overwritten": "evil\rgood",
    "another line": "a\nvitalake: everything is fine",
    "other lines": "a\x0b\x0c\x85\u2028\u2029b",
    "turned around": "\u202egnp.tpircs\u202c \u2066x\u2069 \u200f",
    "invisible": "a\u200bb\u2060c\ufeffd\u00ade\u3164f\u2800g\u034fh\ufe0fi\U000e0041j\U000e0101k",
    "markup of rich": "[bold red]x[/] [link=http://127.0.0.1:9/marker]y[/link] [/nothing]",
    "emoji code": ":skull: :x:",
    "mathtext": r"$\frac{1}{$ $x$",
    "no glyph": "心电图 \U0001f4a9",
    "tabs": "\ta\tb",
    "formula": '=HYPERLINK("http://127.0.0.1:9/marker","x")',
    "formula after blanks": "  \t=1+1",
    "formula after a quote": "\"'=1+1",
    "formula in full width": "\uff1d1+1",
    "formula after a separator": "a;=1+1;b",
    "formula after a return": "a\r=1+1",
    "command": "@SUM(1+1)*cmd|' /C calc'!A0",
    "plus": "+1+1",
    "minus": "-1+1",
    "long": "x" * 150,
}

# What steers a terminal, turns a line around or cannot be seen: none of it may be left of a text that is shown.
UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u200b-\u200f\u2028-\u202e\u2060-\u2069\u2800\u3164\ufe00-\ufe0f\ufeff"
    "\ud800-\udfff\U000e0000-\U000e01ef]"
)
