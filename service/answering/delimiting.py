"""Text from outside -> data that stands in a prompt between tags and cannot close them.

Whatever a model could read as one of the prompt's own tags, as the mark of a chat template, or as hidden writing is
made harmless: the `<` of such a tag becomes `‹`, and characters that nobody can see are left out. All other text stays
letter for letter, so that a quote of it can be found again; `<div>` and `list<int>` are such text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from service.domain import Turn

_TAGS = (
    "passages? history turn question schema text problem"  # the prompts' own
    " system assistant user developer instructions?"  # what could pass for a message of somebody else
    " s inst sys start_of_turn end_of_turn think tool_call tool_response tool bos eos"  # chat templates
).split()
_NAME = f"(?:{'|'.join(_TAGS)})(?![a-z0-9_])"
_WRITES_A_TAG = re.compile(
    rf"[\s!?]*[/\\][\s/\\]*{_NAME}"  # a closing one, however it goes on
    rf"|[\s!?]*{_NAME}(?=\s*(?:>|/|&gt|&#|$)|\s[^<>]*=\s*[\"'&\\])"  # an opening one; `a < text` is a comparison
    r"|\s*\|\s*[a-z][a-z_ ]*\|?"
    r"|<\s*/?\s*sys\b",
    re.ASCII,
)
_OPENS = re.compile("[<\ufe64\uff1c\u226e]|&(?:lt|#0*60|#x0*3c)(?:;|(?![a-z0-9]))", re.IGNORECASE)
_INSTRUCTION = re.compile(r"\[(?=\s*/?\s*INST\s*\])", re.IGNORECASE)
_READ_AHEAD = 48
_WITHOUT_WIDTH = ("Mn", "Me", "Cf", "Cc")

_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f"  # controls, but for tab and line ends
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"  # marks that change the direction of reading
    "\u2060-\u2064\ufeff\u180e\ufff9-\ufffb"  # joiners and notes without width
    "\ud800-\udfff"  # halves of characters
    "\U000e0000-\U000e0fff]"  # tags, which spell invisible text
)
_LOOKALIKES = str.maketrans("аеорсухѕіјһԁԛԝнмтεοαρνικτυηѵꞮꜱɡıȷ", "aeopcyxsijhdqwhmteoapviktunvisgij")

_LONGEST_SOURCE = 200
_LONGEST_TURN = 600
_TURNS = 6


def delimited(text: str) -> str:
    """The text as it may stand between tags."""
    text = _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _INSTRUCTION.sub("⁅", text)
    return _OPENS.sub(lambda found: "‹" if _writes_a_tag(text, found.end()) else found[0], text)


def attribute(text: str) -> str:
    """The text as it may stand in an attribute between double quotes: one line, without quotes and brackets."""
    line = " ".join(delimited(text).split())
    line = line.replace('"', "'").replace("<", "‹").replace(">", "›")
    return line if len(line) <= _LONGEST_SOURCE else f"{line[: _LONGEST_SOURCE - 1]}…"


def passage(number: int, source: str, text: str) -> str:
    """A numbered passage; `source` says for the reader where it stands, such as `Chapter › Heading`."""
    return f'<passage number="{number}" source="{attribute(source)}">\n{delimited(text)}\n</passage>'


def conversation(history: Sequence[Turn]) -> str:
    """The last turns of a conversation, each shortened; "(nothing yet)" where there is none.

    A role that is neither `user` nor `assistant` is shown as `user`: nobody speaks as the system from here.
    """
    said = [turn for turn in history if turn.content.strip()][-_TURNS:]
    return "\n".join(map(_turn, said)) or "(nothing yet)"


def _turn(turn: Turn) -> str:
    role = "assistant" if turn.role == "assistant" else "user"
    text = turn.content.strip()
    if len(text) > _LONGEST_TURN:
        text = f"{text[:_LONGEST_TURN].rstrip()} …"
    return f'<turn role="{role}">\n{delimited(text)}\n</turn>'


def _writes_a_tag(text: str, at: int) -> bool:
    """Whether what follows an opening bracket would be read as a tag, in whatever letters it is written."""
    return _WRITES_A_TAG.match(_folded(text, at)) is not None


def _folded(text: str, at: int) -> str:
    """The next characters as they look: plain small letters, without marks and without what has no width."""
    looks = ""
    while at < len(text) and len(looks) < _READ_AHEAD:
        character = text[at]
        at += 1
        if character.isspace():
            looks += "" if looks.endswith(" ") else " "
        elif character.isascii():
            looks += character.lower()
        else:
            parts = unicodedata.normalize("NFKD", character).casefold().translate(_LOOKALIKES)
            looks += "".join(part for part in parts if unicodedata.category(part) not in _WITHOUT_WIDTH)
    return looks
