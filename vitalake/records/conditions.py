r"""Conditions on text that rules and views share, in DuckDB's SQL.

Belongs here: what more than one dataset says of a text, and of which characters. Does not belong here: rules (each
dataset's declaration).

DuckDB's `trim` takes spaces only, its `\s` ASCII only.
"""

UNSEEN = r"\p{Z}\p{C}"
"""Separators, control and format characters: the zero-width space and the byte order mark too; a class of RE2."""
BLANK = r"\p{Z}\t-\r\x1c-\x1f\x{85}"  # what `str.strip` takes, which ids of entities are stripped with


def visible(column: str) -> str:
    """Whether a text has a character that one can see; null where there is no text."""
    return f"regexp_matches({column}, '[^{UNSEEN}]')"


def trimmed(*columns: str) -> str:
    """Whether none of these texts begins or ends with white space."""
    return " AND ".join(f"NOT regexp_matches({column}, '^[{BLANK}]|[{BLANK}]$')" for column in columns)
