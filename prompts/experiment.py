"""An experiment: which share of the requests is answered by which version of a prompt.

Written as `answer:v1=50,v2=50`. The version follows from a hash of the request's key, so that a conversation stays
with one version, on every replica and after a restart. Weights may be changed while it runs: only the share that
moves from one version to another changes sides.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from prompts.prompt import PromptError
from prompts.registry import Registry

_FORM = "NAME:vN=WEIGHT,vM=WEIGHT, such as answer:v1=50,v2=50"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_ARM = re.compile(r"v([1-9]\d{0,5})=(\d{1,6})", re.ASCII)
_HASHES = 2**64


class ExperimentError(PromptError):
    """The text of an experiment is wrong; the message names the part."""


@dataclass(frozen=True, slots=True)
class Arm:
    """A version and its weight."""

    version: int
    weight: int


@dataclass(frozen=True, slots=True)
class Experiment:
    """A prompt's versions with their weights, by version."""

    name: str
    arms: tuple[Arm, ...]

    @property
    def id(self) -> str:
        """Such as `answer:v1=50,v2=50`; receipts hold it, and `parse` reads it."""
        return f"{self.name}:{','.join(f'v{arm.version}={arm.weight}' for arm in self.arms)}"

    def version(self, key: str) -> int:
        """The version for a key; the same key always gets the same one."""
        versions = ",".join(f"v{arm.version}" for arm in self.arms)
        salted = f"{self.name}:{versions}\0{key}".encode("utf-8", "surrogatepass")
        drawn = int.from_bytes(hashlib.sha256(salted).digest()[:8], "big")
        place = drawn * sum(arm.weight for arm in self.arms) // _HASHES
        for arm in self.arms:
            place -= arm.weight
            if place < 0:
                return arm.version
        raise AssertionError("a place lies within the sum of the weights")


def parse(text: str, registry: Registry) -> Experiment:
    """Read an experiment, and check that its versions exist.

    Raises:
        ExperimentError: it is not of the form, a version does not exist, or no share is left to compare.
    """
    name, colon, rest = text.strip().partition(":")
    if not colon or not _NAME.fullmatch(name):
        raise ExperimentError(f"{text!r} is not {_FORM}")
    arms = sorted((_arm(part.strip()) for part in rest.split(",")), key=lambda arm: arm.version)
    versions = [arm.version for arm in arms]
    if twice := {version for version in versions if versions.count(version) > 1}:
        raise ExperimentError(f"v{min(twice)} stands twice in {text!r}")
    if len(arms) < 2:
        raise ExperimentError(f"{text!r} names one version; an experiment compares at least two")
    if not any(arm.weight for arm in arms):
        raise ExperimentError(f"all weights of {text!r} are 0; at least one must be more")
    try:
        for version in versions:
            registry.load(name, version)
    except PromptError as error:
        raise ExperimentError(f"{text!r} cannot run: {error}") from error
    return Experiment(name, tuple(arms))


def _arm(part: str) -> Arm:
    found = _ARM.fullmatch(part)
    if found is None:
        raise ExperimentError(f"{part!r} is not vN=WEIGHT with a whole number from 0 to 999999; write {_FORM}")
    return Arm(int(found[1]), int(found[2]))
