"""Every reason for which a model's answer is not shown has a sentence on the page."""

from __future__ import annotations

import re
from pathlib import Path

SERVICE = Path(__file__).parents[2] / "service"
_CODE = re.compile(r"\"(model_[a-z_]+)\"|f?\"(uncited): ")
_INSIDE = {"model_form_refused", "model_name", "model_dump_json", "model_fields_set"}  # never reach an answer


def test_every_reason_has_its_sentence() -> None:
    """What the code can give as a reason is said in words of its own, and not as if the model were out of reach."""
    rooms = [*(SERVICE / "answering").glob("*.py"), *(SERVICE / "adapters").glob("*.py")]
    given = {
        code for file in rooms for pair in _CODE.findall(file.read_text(encoding="utf-8")) for code in pair if code
    }
    said = set(re.findall(r"^  (\w+):", (SERVICE / "web/scripts/states.js").read_text(encoding="utf-8"), re.MULTILINE))
    assert len(given) > 10
    assert given - _INSIDE - said == set()
