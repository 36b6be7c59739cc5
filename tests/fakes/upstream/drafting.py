"""A model that answers any question well: it quotes the passages of its prompt, as the schema asks for it."""

from __future__ import annotations

import json
import re
from typing import Any

_PASSAGE = re.compile(r'<passage\b[^>]*\bnumber="(\d+)"[^>]*>\n?(.*?)\n?</passage>', re.DOTALL)
_QUESTION = re.compile(r"<question>\s*(.*?)\s*</question>", re.DOTALL)
_FENCE = re.compile(r"```.*?(```|\Z)", re.DOTALL)
_SENTENCE = re.compile(r"[A-Z][^.!?\n|#<>\[\]]{30,240}[.!?]")


def written(body: dict[str, Any]) -> str:
    """The text that the model writes for this request."""
    schema = _schema(body)
    if schema is None:
        return "That is a good question."
    fields = schema.get("properties", {})
    made = _draft(body) if {"answer", "citations"} <= fields.keys() else _filled(fields, body)
    text = json.dumps(made, ensure_ascii=False)
    return text if body.get("response_format") else f"Here it is:\n\n```json\n{text}\n```\n"


def _draft(body: dict[str, Any]) -> dict[str, Any]:
    quotes = []
    for number, text in _PASSAGE.findall(_said(body)):
        if sentence := _SENTENCE.search(_FENCE.sub("\n", text)):
            quotes.append((int(number), sentence[0]))
    if not quotes:
        return {"answer": "", "citations": [], "status": "not_in_knowledge_base", "follow_ups": []}
    chosen = quotes[:3]
    answer = "\n\n".join(f"{quote[:-1]} [{number}]." for number, quote in chosen)
    return {
        "answer": f"{answer}\n\n```python\nvalues = [1, 2, 3]\n```",
        "citations": [{"passage": number, "quote": quote} for number, quote in chosen],
        "status": "answered",
        "follow_ups": ["How is that tested?", "What does it cost — in time?"],
    }


def _filled(fields: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Any other schema: its strings hold the question."""
    said = _said(body)
    asked = _QUESTION.findall(said)
    values = {"string": asked[-1] if asked else said[-200:], "integer": 0, "number": 0, "boolean": True, "array": []}
    return {name: one["enum"][0] if "enum" in one else values.get(one.get("type")) for name, one in fields.items()}


def _said(body: dict[str, Any]) -> str:
    return "\n".join(message["content"] for message in body["messages"] if message["role"] == "user")


def _schema(body: dict[str, Any]) -> dict[str, Any] | None:
    """The schema of the request, or the one that stands in its messages."""
    if strict := (body.get("response_format") or {}).get("json_schema"):
        return strict["schema"]
    for message in body["messages"]:
        for start in re.finditer(r"^\{", message["content"], re.MULTILINE):
            try:
                found, _ = json.JSONDecoder().raw_decode(message["content"], start.start())
            except ValueError:
                continue
            if "properties" in found:
                return found
    return None
