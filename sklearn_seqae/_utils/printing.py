"""Escaping of control characters in text from data and files, for terminals and figures."""

import re

# What moves a terminal's cursor or colours it, turns the order of letters around, or is no XML.
_COMMANDS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def printable(text: object) -> str:
    r"""Return text in which control characters stand as Python escapes them.

    Line feeds and tabs stay.

    Examples
    --------
    >>> printable("pulse\x1b[31m")
    'pulse\\x1b[31m'
    """
    return _COMMANDS.sub(lambda found: found[0].encode("unicode_escape").decode(), str(text))


def one_line(text: object) -> str:
    """Return text in a line, without control characters."""
    return printable(" ".join(str(text).split()))
