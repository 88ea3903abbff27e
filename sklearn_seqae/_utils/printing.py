"""Escaping of control characters in text from data and files, for terminals and figures."""

import re

# Control characters of terminals and of text direction, and characters that are invalid in XML.
_COMMANDS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def printable(text: object) -> str:
    r"""Return text with control characters escaped as in Python.

    Line feeds and tabs are kept.

    Examples
    --------
    >>> printable("pulse\x1b[31m")
    'pulse\\x1b[31m'
    """
    return _COMMANDS.sub(lambda found: found[0].encode("unicode_escape").decode(), str(text))


def one_line(text: object) -> str:
    """Return text as one line, with control characters escaped."""
    return printable(" ".join(str(text).split()))
