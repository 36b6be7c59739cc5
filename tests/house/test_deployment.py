"""docker-compose.yml and the Dockerfile, checked without a Docker engine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from service.settings import PROJECT, Settings

# The part of the Compose specification that this project uses; anything else in the file is a mistake.
_SERVICE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["restart", "volumes", "healthcheck"],
    "anyOf": [{"required": ["image"]}, {"required": ["build"]}],
    "properties": {
        "image": {"type": "string", "pattern": r"^[\w./-]+:v?\d+\.\d+\.\d+$"},
        "build": {"const": "."},
        "command": {"type": "array", "items": {"type": "string"}},
        "restart": {"enum": ["no", "unless-stopped"]},
        "environment": {"type": "object", "additionalProperties": {"type": "string"}},
        "volumes": {"type": "array", "items": {"type": "string", "pattern": r"^\w+:/"}},
        "ports": {"type": "array", "items": {"type": "string", "pattern": r"^127\.0\.0\.1:\d+:\d+$"}},
        "depends_on": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["condition"],
                "properties": {"condition": {"enum": ["service_healthy", "service_completed_successfully"]}},
            },
        },
        "healthcheck": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "disable": {"const": True},
                "test": {"type": "array", "items": {"type": "string"}, "minItems": 2},
                "interval": {"type": "string", "pattern": r"^\d+s$"},
                "timeout": {"type": "string", "pattern": r"^\d+s$"},
                "start_period": {"type": "string", "pattern": r"^\d+s$"},
                "retries": {"type": "integer", "minimum": 1},
            },
        },
    },
}
_COMPOSE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["services", "volumes"],
    "properties": {
        "name": {"type": "string"},
        "services": {"type": "object", "additionalProperties": _SERVICE, "minProperties": 2},
        "volumes": {"type": "object"},
    },
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((PROJECT / "docker-compose.yml").read_text())


@pytest.fixture(scope="module")
def dockerfile() -> list[str]:
    joined = (PROJECT / "Dockerfile").read_text().replace("\\\n", " ")
    return [line for line in joined.split("\n") if line and not line.startswith("#")]


def test_compose_fits_the_schema(compose: dict[str, Any]) -> None:
    """The file uses only known keys, pinned images and ports on loopback, and every service has a health check."""
    jsonschema.validate(compose, _COMPOSE)


def test_compose_refers_only_to_what_it_declares(compose: dict[str, Any]) -> None:
    """Volumes and dependencies exist."""
    for service in compose["services"].values():
        assert {volume.split(":")[0] for volume in service["volumes"]} <= compose["volumes"].keys()
        assert service.get("depends_on", {}).keys() <= compose["services"].keys()


def test_compose_sets_only_known_variables(compose: dict[str, Any]) -> None:
    """A variable that the settings do not know would have no effect."""
    known = {field.alias for field in Settings.model_fields.values()}
    for service in compose["services"].values():
        assert service.get("environment", {}).keys() <= known


def test_compose_starts_in_order(compose: dict[str, Any]) -> None:
    """The service waits for the ingest, and the ingest for a healthy Qdrant."""
    services = compose["services"]
    assert services["ingest"]["depends_on"] == {"qdrant": {"condition": "service_healthy"}}
    assert services["service"]["depends_on"] == {"ingest": {"condition": "service_completed_successfully"}}


def test_dockerfile_has_two_stages_and_pinned_bases(dockerfile: list[str]) -> None:
    """What builds is not what runs, and both start from a named version."""
    bases = [line.split()[1] for line in dockerfile if line.startswith("FROM")]
    assert len(bases) == 2
    assert all(re.search(r":\d+\.\d+", base) for base in bases)


def test_dockerfile_runs_as_an_ordinary_user(dockerfile: list[str]) -> None:
    """The last user is not root, and the data folder belongs to it."""
    users = [line.split()[1] for line in dockerfile if line.startswith("USER")]
    assert users
    assert users[-1] not in ("root", "0")
    assert any("install -d -o mastery" in line and "/data" in line for line in dockerfile)


def test_dockerfile_installs_by_hash_and_checks_health(dockerfile: list[str]) -> None:
    """Dependencies come from the lock with their hashes; the container says whether it is ready."""
    text = "\n".join(dockerfile)
    assert "--require-hashes -r requirements.lock" in text
    assert "HEALTHCHECK" in text
    assert "/readyz" in text


def test_dockerfile_copies_what_exists_and_is_not_ignored(dockerfile: list[str]) -> None:
    """Every source of a COPY stands in the tree and in .dockerignore's exceptions."""
    kept = {line[1:] for line in (PROJECT / ".dockerignore").read_text().split("\n") if line.startswith("!")}
    for line in dockerfile:
        words = line.split()
        if words[0] == "COPY" and not words[1].startswith("--from"):
            for source in words[1:-1]:
                assert (PROJECT / source).exists(), source
                assert Path(source).parts[0] in kept, source
