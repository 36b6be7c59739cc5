"""An experiment splits requests by weight, and a key stays with its version."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from prompts.choice import Choice, choose, sticky_key
from prompts.experiment import ExperimentError, parse
from prompts.prompt import PromptError
from prompts.registry import Registry

KEYS = [f"conversation:{number}" for number in range(10_000)]


@pytest.fixture
def registry(folder: Path) -> Registry:
    return Registry(folder)


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("ask:v1=50,v2=50", {1: 0.5, 2: 0.5}),
        ("ask:v1=90,v10=10", {1: 0.9, 10: 0.1}),
        ("ask:v1=1,v2=1,v10=2", {1: 0.25, 2: 0.25, 10: 0.5}),
        ("ask:v1=0,v2=7", {2: 1.0}),
    ],
)
def test_the_split_follows_the_weights(registry: Registry, text: str, shares: dict[int, float]) -> None:
    """Over 10,000 keys each version gets its share, within four standard errors (2 %)."""
    experiment = parse(text, registry)
    counted = Counter(experiment.version(key) for key in KEYS)
    assert set(counted) == set(shares)
    for version, share in shares.items():
        assert counted[version] / len(KEYS) == pytest.approx(share, abs=0.02)


def test_a_key_stays_with_its_version(registry: Registry) -> None:
    """The same key gets the same version again, from another process too."""
    experiment = parse("ask:v1=50,v2=50", registry)
    versions = [experiment.version(key) for key in KEYS[:200]]
    assert versions == [parse("ask:v2=50, v1=50", registry).version(key) for key in KEYS[:200]]
    code = (
        "from prompts.experiment import Arm, Experiment\n"
        "one = Experiment('ask', (Arm(1, 50), Arm(2, 50)))\n"
        "print(*(one.version(f'conversation:{n}') for n in range(200)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(version) for version in versions]


def test_changed_weights_move_only_the_share_that_must_move(registry: Registry) -> None:
    """From 50:50 to 60:40 a tenth of the keys changes sides, and only from the second version to the first."""
    before, after = parse("ask:v1=50,v2=50", registry), parse("ask:v1=60,v2=40", registry)
    moved = Counter((before.version(key), after.version(key)) for key in KEYS)
    assert moved[1, 2] == 0
    assert moved[2, 1] / len(KEYS) == pytest.approx(0.1, abs=0.02)


def test_two_experiments_draw_independently(registry: Registry) -> None:
    """Who was in the first half of one experiment is in either half of the next."""
    one, other = parse("ask:v1=50,v2=50", registry), parse("ask:v2=50,v10=50", registry)
    both = Counter((one.version(key), other.version(key)) for key in KEYS)
    assert all(count / len(KEYS) == pytest.approx(0.25, abs=0.02) for count in both.values())
    assert len(both) == 4


def test_the_id_can_be_read_again(registry: Registry) -> None:
    """The receipt's id is the experiment in its plainest form."""
    experiment = parse(" ask:v10=3, v2=50 ", registry)
    assert experiment.id == "ask:v2=50,v10=3"
    assert parse(experiment.id, registry) == experiment


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is not NAME:vN=WEIGHT"),
        ("ask", "'ask' is not NAME:vN=WEIGHT"),
        (":v1=1,v2=1", "is not NAME:vN=WEIGHT"),
        ("../ask:v1=1,v2=1", "is not NAME:vN=WEIGHT"),
        ("ask:", "'' is not vN=WEIGHT"),
        ("ask:v1=50,v2", "'v2' is not vN=WEIGHT"),
        ("ask:v1=50,v2=", "'v2=' is not vN=WEIGHT"),
        ("ask:v1=50,2=50", "'2=50' is not vN=WEIGHT"),
        ("ask:v1=50,v2=-1", "'v2=-1' is not vN=WEIGHT"),
        ("ask:v1=0.5,v2=0.5", "'v1=0.5' is not vN=WEIGHT"),
        ("ask:v1=50,v2=٥٠", "is not vN=WEIGHT"),
        ("ask:v1=50,v2=50,", "'' is not vN=WEIGHT"),
        ("ask:v1=50;tell:v1=50", "is not vN=WEIGHT"),
        ("ask:v1=50,v1=50", "v1 stands twice"),
        ("ask:v1=100", "names one version"),
        ("ask:v1=0,v2=0", "all weights of .* are 0"),
        ("ask:v1=50,v3=50", "prompt 'ask' has no version 3; it has 1, 2, 10"),
        ("shout:v1=50,v2=50", "there is no prompt 'shout'"),
    ],
)
def test_a_wrong_experiment_is_refused_by_its_part(registry: Registry, text: str, message: str) -> None:
    """The error names the part that is wrong and the form that it must have."""
    with pytest.raises(ExperimentError, match=message):
        parse(text, registry)


def test_the_request_comes_first_then_experiment_setting_and_newest(registry: Registry) -> None:
    """The order of choice, and that only the experiment's own choice is booked on it."""
    experiment = parse("ask:v1=0,v2=1", registry)

    def chosen(name: str = "ask", **options) -> Choice:
        return choose(registry, name, key="k", **options)

    assert chosen(requested=1, experiment=experiment, setting=10) == Choice(registry.load("ask", 1))
    assert chosen(experiment=experiment, setting=10) == Choice(registry.load("ask", 2), "ask:v1=0,v2=1")
    assert chosen(setting=1) == Choice(registry.load("ask", 1))
    assert chosen() == Choice(registry.load("ask", 10))
    assert chosen("tell", experiment=experiment) == Choice(registry.load("tell", 1))


def test_a_version_that_is_not_there_is_refused(registry: Registry) -> None:
    """Neither a request nor a setting falls back to another version in silence."""
    for options in ({"requested": 7}, {"setting": 7}):
        with pytest.raises(PromptError, match="no version 7"):
            choose(registry, "ask", key="k", **options)


def test_an_experiment_sticks_to_conversation_then_caller_then_request() -> None:
    """A conversation's key is not the key of a caller with the same name."""
    assert sticky_key("7", "ann", "r1") == "conversation:7"
    assert sticky_key(None, "ann", "r1") == "caller:ann"
    assert sticky_key(None, None, "r1") == "request:r1"
    assert sticky_key("", "", "r1") == "request:r1"
