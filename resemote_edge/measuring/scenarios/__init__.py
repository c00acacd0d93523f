"""Scenarios: ways in which faces arrive at a network.

A new scenario is a module, a row of `SCENARIOS` and a member of `Outcome`.
"""

from resemote_edge.errors import InputError
from resemote_edge.measuring.scenarios.base import Scenario, ScenarioSettings, Taken
from resemote_edge.measuring.scenarios.camera import CAMERA, Camera
from resemote_edge.measuring.scenarios.multi_stream import MULTI_STREAM, MultiStream
from resemote_edge.measuring.scenarios.offline import OFFLINE, Offline
from resemote_edge.measuring.scenarios.single_stream import SINGLE_STREAM, SingleStream
from resemote_edge.measuring.scenarios.sustained import SUSTAINED, Sustained

__all__ = [
    "PRESETS",
    "SCENARIOS",
    "Camera",
    "MultiStream",
    "Offline",
    "Outcome",
    "Scenario",
    "ScenarioSettings",
    "SingleStream",
    "Sustained",
    "Taken",
    "get_scenario",
    "preset",
]

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario for scenario in (SINGLE_STREAM, MULTI_STREAM, OFFLINE, CAMERA, SUSTAINED)
}

#: Results that are specific to a scenario; the tag is the scenario's name.
Outcome = SingleStream | MultiStream | Offline | Camera | Sustained

#: Settings by name.
PRESETS: dict[str, ScenarioSettings] = {
    "quick": ScenarioSettings(warmup_seconds=1.0, min_runs=50, min_seconds=1.0, window_seconds=0.25),
    "standard": ScenarioSettings(warmup_seconds=5.0, min_runs=400, min_seconds=5.0, window_seconds=1.0),
    "sustained": ScenarioSettings(warmup_seconds=10.0, min_runs=4000, min_seconds=120.0, window_seconds=5.0),
}


def get_scenario(name: str) -> Scenario:
    """Return the scenario of that name.

    Raises:
        InputError: There is no such scenario; the message lists those there are.
    """
    if name not in SCENARIOS:
        raise InputError(f"unknown scenario {name!r}", hint=f"choose one of {', '.join(SCENARIOS)}")
    return SCENARIOS[name]


def preset(name: str) -> ScenarioSettings:
    """Return the settings of that name.

    Raises:
        InputError: There are no such settings; the message lists those there are.
    """
    if name not in PRESETS:
        raise InputError(f"unknown preset {name!r}", hint=f"choose one of {', '.join(PRESETS)}")
    return PRESETS[name]
