"""A prompt's file -> `Prompt`, or an error that names the file and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, cast

import yaml

from prompts.prompt import PLACE, Hints, Messages, Prompt, PromptError, Role

_SEPARATOR = re.compile(r"^# (system|user|assistant)[ \t]*$", re.MULTILINE)
_REQUIRED = ("purpose", "variables", "output", "changelog")
_BRACES = re.compile(r"\{\{|\}\}")


def parse(name: str, version: int, raw: bytes) -> Prompt:
    """Read the bytes of `NAME/vN.md`.

    Raises:
        PromptError: the front matter is missing, incomplete or has unknown keys, or it does not fit the text.
    """
    id_ = f"{name}/v{version}"
    front, text = _split(id_, raw)
    messages = _messages(id_, text)
    variables = _variables(id_, front["variables"])
    used = frozenset(place for _, part in messages for place in PLACE.findall(part))
    if variables != used:
        raise PromptError(f"{id_} declares {sorted(variables)} but uses {sorted(used)}")
    return Prompt(
        name=name,
        version=version,
        messages=messages,
        variables=variables,
        raw=raw,
        purpose=_line(id_, front, "purpose"),
        output=_line(id_, front, "output"),
        changelog=_line(id_, front, "changelog"),
        hints=_hints(id_, front.get("hints")),
    )


def _split(id_: str, raw: bytes) -> tuple[dict[str, Any], str]:
    """The front matter, with all the keys it must have, and the text below it."""
    try:
        decoded = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PromptError(f"{id_} is not UTF-8: {error.reason} at byte {error.start}") from error
    match decoded.split("---\n", 2):
        case ["", front, text]:
            pass
        case _:
            raise PromptError(f"{id_} has no front matter")
    try:
        declared: Any = yaml.safe_load(front)
    except yaml.YAMLError as error:
        raise PromptError(f"{id_} has front matter that is not valid YAML: {error}") from error
    if not isinstance(declared, dict):
        raise PromptError(f"{id_} has front matter that is not a mapping")
    if missing := [key for key in _REQUIRED if key not in declared]:
        raise PromptError(f"{id_} does not say its {', '.join(missing)}")
    if unknown := sorted(str(key) for key in declared.keys() - {*_REQUIRED, "hints"}):
        raise PromptError(f"{id_} has front matter that nobody reads: {', '.join(unknown)}")
    return declared, text


def _messages(id_: str, text: str) -> Messages:
    separators = list(_SEPARATOR.finditer(text))
    if not separators:
        messages: Messages = (("user", text.strip()),)
    else:
        if before := text[: separators[0].start()].strip():
            raise PromptError(f"{id_} has text before its first part: {before[:40]!r}")
        ends = [separator.start() for separator in separators[1:]] + [len(text)]
        messages = tuple(
            (cast("Role", separator[1]), text[separator.end() : end].strip())
            for separator, end in zip(separators, ends, strict=True)
        )
    _check(id_, messages)
    return messages


def _check(id_: str, messages: Messages) -> None:
    """The order that every provider takes: perhaps a system part, then user and assistant by turns, a user's last."""
    roles = [role for role, _ in messages]
    if "system" in roles[1:]:
        raise PromptError(f"{id_} has a system part that is not the first")
    if roles[-1] != "user":
        raise PromptError(f"{id_} must end in a user part")
    if roles[roles.count("system")] != "user" or any(one == other for one, other in pairwise(roles)):
        raise PromptError(f"{id_} must have user and assistant parts by turns, a user part first")
    for role, part in messages:
        if not part:
            raise PromptError(f"{id_} has an empty {role} part")
        if role == "system" and (place := PLACE.search(part)):
            raise PromptError(f"{id_} has the variable {place[1]} in its system part; data belongs in the user part")
        if _BRACES.search(PLACE.sub("", part)):
            raise PromptError(f"{id_} has braces in its {role} part that are no place, such as {{{{ question }}}}")


def _variables(id_: str, declared: Any) -> frozenset[str]:
    if not isinstance(declared, list) or not all(isinstance(name, str) for name in declared):
        raise PromptError(f"{id_} does not declare its variables as a list of names")
    return frozenset(declared)


def _line(id_: str, front: Mapping[str, Any], key: str) -> str:
    value = front[key]
    if not isinstance(value, str) or not value.strip() or "\n" in value.strip():
        raise PromptError(f"{id_} must say its {key} in one line of text")
    return value.strip()


def _hints(id_: str, declared: Any) -> Hints:
    if declared is None:
        return Hints()
    if not isinstance(declared, dict):
        raise PromptError(f"{id_} must give its hints as a mapping")
    if unknown := sorted(str(key) for key in declared.keys() - set(Hints.__dataclass_fields__)):
        raise PromptError(f"{id_} has unknown hints: {', '.join(unknown)}; there are temperature, max_output_tokens")
    temperature, tokens = declared.get("temperature"), declared.get("max_output_tokens")
    if temperature is not None and (not _is_number(temperature) or not 0 <= temperature <= 2):
        raise PromptError(f"{id_} has a temperature of {temperature!r}; it is a number from 0 to 2")
    if tokens is not None and (not _is_number(tokens) or tokens != int(tokens) or tokens < 1):
        raise PromptError(f"{id_} has max_output_tokens of {tokens!r}; it is a whole number from 1")
    return Hints(None if temperature is None else float(temperature), None if tokens is None else int(tokens))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
