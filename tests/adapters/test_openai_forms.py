"""Which refusals make a call go out in another form, and which do not."""

from __future__ import annotations

import pytest

from service.adapters.openai_forms import Form

from ..fakes.played_model import call

ASKED = "Unrecognized request argument supplied: max_completion_tokens"
STRICT = Form()
LOOSE = Form(answer="json_object")

STEPS: dict[str, tuple[Form, int, object, Form]] = {
    "the schema, by name": (
        STRICT,
        400,
        {"message": "Invalid parameter: 'response_format' of type 'json_schema' is not supported.", "param": None},
        Form(answer="json_object"),
    ),
    "the schema, by parameter": (STRICT, 400, {"message": "No.", "param": "response_format"}, LOOSE),
    "a type of format": (STRICT, 400, 'response_format type must be one of "text" or "json_object"', LOOSE),
    "no format at all": (LOOSE, 422, {"detail": "response_format: extra field"}, Form(answer="text")),
    "a router without such models": (
        STRICT,
        404,
        {"message": "No endpoints found that support response_format"},
        LOOSE,
    ),
    "stream options, as FastAPI words it": (
        STRICT,
        422,
        {"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra", "input": {}}]},
        Form(usage=False),
    ),
    "the limit's new name": (STRICT, 400, {"message": ASKED, "param": None}, Form(limit="max_tokens")),
}


@pytest.mark.parametrize(("form", "status", "body", "lower"), STEPS.values(), ids=STEPS)
def test_a_refusal_that_names_a_parameter_takes_one_step(form: Form, status: int, body: object, lower: Form) -> None:
    """Only what was named changes."""
    assert form.after(status, body) == lower


OTHER: dict[str, tuple[Form, int, object]] = {
    "a wrong key": (STRICT, 401, {"message": "response_format", "param": "response_format"}),
    "a rate limit": (STRICT, 429, {"message": "stream_options", "param": "stream_options"}),
    "an unknown model": (STRICT, 404, {"message": "The model does not exist", "param": None}),
    "another parameter": (
        STRICT,
        400,
        {"message": "'messages' must say json for response_format", "param": "messages"},
    ),
    "a limit that is too large": (
        STRICT,
        400,
        {"message": "max_completion_tokens is too large: 99999. At most 16384.", "param": "max_completion_tokens"},
    ),
    "an echo of the request": (
        STRICT,
        422,
        {"detail": [{"loc": ["body", "messages"], "msg": "too short", "input": {"response_format": "stream_options"}}]},
    ),
    "nothing below": (Form("text", "max_tokens", usage=False), 400, "response_format stream_options max_tokens"),
}


@pytest.mark.parametrize(("form", "status", "body"), OTHER.values(), ids=OTHER)
def test_any_other_refusal_changes_nothing(form: Form, status: int, body: object) -> None:
    """A call that is wrong in itself is not sent again in another form."""
    assert form.after(status, body) == form


def test_calls_at_the_same_time_add_up_what_they_learn() -> None:
    """One call learns of the schema, another one of the limit: the next call knows both."""
    assert LOOSE.at_most(Form(limit="max_tokens")) == Form("json_object", "max_tokens", usage=True)
    assert Form(usage=False).at_most(STRICT) == Form(usage=False)
    assert Form(words=True).at_most(LOOSE) == Form("json_object", words=True)


def test_without_a_schema_of_its_own_the_call_says_it_in_words() -> None:
    """The schema joins the system message, or becomes one; the other messages stay as they are."""
    body = LOOSE.body("m", call())
    assert body["response_format"] == {"type": "json_object"}
    system, user = body["messages"]
    assert system["content"].startswith("Answer.\n\nReply with one JSON object")
    assert '"passages"' in system["content"]
    assert user == {"role": "user", "content": "Why?"}
    plain = Form(answer="text", usage=False).body("m", call(messages=call().messages[1:]))
    assert [message["role"] for message in plain["messages"]] == ["system", "user"]
    assert plain.keys() == {"model", "messages", "max_completion_tokens"}
