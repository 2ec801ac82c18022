"""A console that prints texts as they are, whoever wrote them: no markup, nothing that steers the terminal.

Belongs here: this safety, for every text that a command prints. Does not belong here: which console goes where
(`cli/options.py`). Importing this module imports rich, so import it inside the function that needs it.

Rich takes ``[link=…]`` and ``:x:`` in a text for its own, and lets escape sequences pass. Here styles are given as
arguments or as `rich.text.Text`, whose parts go through `vitalake.escaping.printable` where they come from data.
"""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from vitalake.escaping import printable_lines


class PlainConsole(Console):
    """Lines of a text stay lines; every other character that no one can see is shown as an escape."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """A text, harmless; rich calls this for every string that it prints, in cells of tables too."""
        return super().render_str(printable_lines(text), **options)
