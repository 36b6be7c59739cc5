"""Words that programmers use for each other: people ask with one what documentation says with another.

Only pairs that are true whatever is documented. A word may stand on several lines; each line holds for itself.
"""

from __future__ import annotations

ALIKE: tuple[str, ...] = (
    "serialize serialise dump export output",
    "deserialize parse load decode",
    "argument parameter",
    "list array sequence",
    "dict dictionary mapping",
    "function callable method",
    "default fallback",
    "error exception",
    "fail crash break",
    "remove delete drop",
    "exclude omit skip",
    "ignore skip",
    "forbid reject disallow refuse prohibit",
    "extra additional unknown unexpected",
    "require mandatory need",
    "make create build generate construct",
    "get fetch retrieve read obtain",
    "add append insert",
    "change modify alter update",
    "run execute call invoke",
    "begin start launch",
    "stop end abort terminate",
    "copy duplicate clone",
    "combine merge join",
    "rename alias",
    "check validate verify",
    "compute calculate derive",
    "convert coerce cast",
    "config configuration configure setting option",
    "immutable frozen readonly",
    "nested inner child",
    "parent base superclass",
    "child subclass",
    "speed performance fast quick",
    "limit maximum max",
    "minimum min",
)
