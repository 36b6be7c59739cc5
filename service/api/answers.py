"""`/api/answers`: an answer once more with all it rests on, what a reader says of it, stopping one in the making."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from service.api.callers import calling
from service.api.dependencies import Running
from service.api.problems import Problem
from service.domain import AnswerRecord, Feedback, Reason, Verdict
from service.errors import AnswerNotFound

router = APIRouter(prefix="/api/answers", tags=["answers"], dependencies=[Depends(calling)])

_RECORD = TypeAdapter(AnswerRecord)
_PROBLEMS: dict[int | str, dict[str, Any]] = {status: {"model": Problem} for status in (401, 404, 422, 503)}

AnswerId = Annotated[
    str,
    Path(max_length=64, examples=["9f1c2d3e4a5b4c6d8e7f0a1b2c3d4e5f"], description="As the answer gave it."),
]


class Answering(BaseModel):
    """It is being made; ask again in a moment."""

    status: Literal["answering"] = Field("answering", examples=["answering"])


class Stopping(BaseModel):
    """It ends as soon as what was used is booked."""

    status: Literal["stopping"] = Field("stopping", examples=["stopping"])


class FeedbackIn(BaseModel):
    """Thumbs up or down; down may say why."""

    model_config = ConfigDict(extra="forbid")

    verdict: Verdict = Field(examples=["down"])
    reason: Reason | None = Field(None, examples=["wrong_citation"])
    comment: str = Field("", max_length=4_000, examples=["Line 12 says the opposite."])

    @model_validator(mode="after")
    def _a_reason_is_one_against(self) -> Self:
        if self.reason and self.verdict is Verdict.UP:
            raise ValueError("a reason says what is wrong; leave it out where the verdict is up")
        return self


_ANSWERING: dict[int | str, dict[str, Any]] = {202: {"model": Answering, "description": "It is being made."}}


@router.get("/{answer_id}", response_model=AnswerRecord, responses=_PROBLEMS | _ANSWERING)
async def get_answer(answer_id: AnswerId, service: Running) -> Response:
    """An answer with what it was made of: the question as posed, the passages as read, the receipt, the feedback.

    While it is being made: 202. Take it from here after a lost connection.
    """
    if service.desk.is_open(answer_id):
        return Response(Answering().model_dump_json(), 202, {"Retry-After": "1"}, media_type="application/json")
    return Response(_RECORD.dump_json(await service.answers.get(answer_id)), media_type="application/json")


@router.post("/{answer_id}/feedback", status_code=204, responses=_PROBLEMS)
async def rate_answer(answer_id: AnswerId, body: FeedbackIn, service: Running) -> None:
    """Say what an answer is worth; the latest word counts. One that is rated down never stands for another."""
    await service.answers.rate(answer_id, Feedback(body.verdict, body.reason, body.comment))


@router.post("/{answer_id}/stop", status_code=202, responses=_PROBLEMS)
async def stop_answer(answer_id: AnswerId, service: Running) -> Stopping:
    """Stop an answer that is being made; the call to the model is cancelled, and what was used is booked."""
    if not service.desk.stop(answer_id):
        raise AnswerNotFound(f"no answer {answer_id!r} is being made; it is finished, was stopped, or never began")
    return Stopping()
