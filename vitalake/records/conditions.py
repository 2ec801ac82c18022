r"""Conditions on text that rules and views share, in DuckDB's SQL.

Belongs here: what more than one dataset says of a text. Does not belong here: rules (each dataset's declaration).

White space is what Unicode calls separators (`Z`) and control or format characters (`C`): the no-break space, the
zero-width space and the byte order mark too. DuckDB's `trim` takes spaces only, its `\s` ASCII only.
"""

_UNSEEN = r"\p{Z}\p{C}"


def visible(column: str) -> str:
    """Whether a text has a character that one can see; null where there is no text."""
    return f"regexp_matches({column}, '[^{_UNSEEN}]')"


def trimmed(*columns: str) -> str:
    """Whether none of these texts begins or ends with white space."""
    return " AND ".join(f"NOT regexp_matches({column}, '^[{_UNSEEN}]|[{_UNSEEN}]$')" for column in columns)
