"""Every error as an RFC 9457 problem document with a stable `code` and the request's id."""

from __future__ import annotations

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from service.errors import BudgetSpent, MasteryError

_log = structlog.get_logger()


class Problem(BaseModel):
    """The body of every error."""

    type: str = Field("about:blank", examples=["about:blank"])
    title: str = Field(examples=["The question cannot be used"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["the question is empty or a single character; ask it in words"])
    code: str = Field(examples=["invalid_question"])
    request_id: str = Field(examples=["9f1c2d3e4a5b4c6d8e7f0a1b2c3d4e5f"])


def install(app: FastAPI) -> None:
    """Register the handlers."""
    app.add_exception_handler(MasteryError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def described(document: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI document in which every error is a problem document; FastAPI would describe its own kind of error."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operation in (operation for path in document["paths"].values() for operation in path.values()):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                response["content"] = content
    for unused in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(unused, None)
    return document


async def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, MasteryError)
    if error.status >= 500:
        _log.error("request_failed", code=error.code, detail=str(error))
    return _problem(request, error.status, error.code, error.title, str(error), _retry_after(error))


def problem_of(request: Request, error: MasteryError) -> Problem:
    """An error as a document, for what is no response of its own: the last event of a stream."""
    return Problem(
        title=error.title, status=error.status, detail=str(error), code=error.code, request_id=_request_id(request)
    )


def _retry_after(error: MasteryError) -> dict[str, str] | None:
    if isinstance(error, BudgetSpent):
        return {"Retry-After": str(error.retry_after)}
    return {"Retry-After": "5"} if error.status == 503 else None


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first: Any = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part != "body")
    detail = f"{place}: {first['msg']}" if place else str(first["msg"])
    return _problem(request, 422, "invalid_request", "The request cannot be used", detail)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
    headers = dict(error.headers) if error.headers else None
    return _problem(request, error.status_code, code, "The request cannot be served", str(error.detail), headers)


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    """Runs outside all middleware, so that the id has to be put into the log and the header by hand."""
    request_id = _request_id(request)
    _log.exception("unexpected_error", exc_info=error, request_id=request_id)
    detail = "an unexpected error; the service's log has it under this request id"
    return _problem(request, 500, "internal", "Something went wrong", detail, {"X-Request-ID": request_id})


def _problem(
    request: Request, status: int, code: str, title: str, detail: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    body = Problem(title=title, status=status, detail=detail, code=code, request_id=_request_id(request))
    return JSONResponse(body.model_dump(), status, headers, media_type="application/problem+json")


def _request_id(request: Request) -> str:
    return str(request.scope.get("state", {}).get("request_id", ""))
