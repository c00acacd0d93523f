"""Energy of a scenario: a run of its own, per crop, idle subtracted; and what a report says of it."""

from pathlib import Path

import msgspec
import pytest

from resemote_edge.benchmarks.report.markdown import markdown_report
from resemote_edge.machine.energy import ENERGY_SENSORS, Energy, EnergySensor, NotMeasured
from resemote_edge.machine.energy.sensor import Rail
from resemote_edge.measuring.energy_pass import measure_energy
from resemote_edge.measuring.results import read_report
from resemote_edge.measuring.scenarios import Scenario, ScenarioSettings

ROOT = Path(__file__).resolve().parents[2]


class Meter(EnergySensor):
    """Counts 2 J at every reading while idle, and whatever the work adds."""

    name, covers = "made-up", "board"
    work = 0.0

    def __init__(self):
        self.gives, self.interval_s, self.min_seconds = "joules", 3600.0, 0.0
        self.rails = (Rail(name="all", in_total=True),)
        self._base = 0.0

    @classmethod
    def find(cls, root):
        return cls()

    def read(self):
        self._base += 2.0
        return (self._base + Meter.work,)


class Worker:
    """A subject whose every crop takes 3 J."""

    def __init__(self, batch):
        self.batch, self.crops_done = batch, 0

    def run_model(self):
        self.crops_done += self.batch
        Meter.work += 3.0 * self.batch


@pytest.fixture
def meter(monkeypatch):
    monkeypatch.setattr(Meter, "work", 0.0)
    for name in list(ENERGY_SENSORS):
        monkeypatch.delitem(ENERGY_SENSORS, name)
    monkeypatch.setitem(ENERGY_SENSORS, "made-up", f"{__name__}:Meter")
    monkeypatch.setattr("resemote_edge.measuring.energy_pass._IDLE_SECONDS", 0.05)


def scenario(seen):
    def run(subjects, settings):
        seen.append(settings)
        for subject in subjects:
            for _ in range(5):
                subject.run_model()

    return Scenario(name="five", summary="Five calls.", run=run)


def test_energy_is_per_crop_of_a_run_without_warm_up(meter):
    seen, workers = [], [Worker(4), Worker(2)]
    found = measure_energy(scenario(seen), workers, ScenarioSettings(min_seconds=60.0, min_runs=7))
    assert isinstance(found, Energy)
    assert found.joules == pytest.approx(2.0 + 3.0 * 30)
    assert found.joules_per_inference_with_idle == pytest.approx(92.0 / 30)
    assert found.idle_watts > 0
    assert found.joules_per_inference == pytest.approx((92.0 - found.idle_watts * found.seconds) / 30)
    (settings,) = seen
    assert settings.warmup_runs == 0
    assert settings.warmup_seconds == 0.0
    assert settings.min_seconds == 15.0  # a minute says no more
    assert settings.min_runs == 7


def test_without_a_sensor_nothing_runs_again(meter, monkeypatch, tmp_path):
    monkeypatch.setattr(Meter, "find", classmethod(lambda cls, root: NotMeasured("it is unplugged")))
    seen = []
    found = measure_energy(scenario(seen), [Worker(1)], ScenarioSettings())
    assert found == NotMeasured("no energy sensor can be read here (made-up: it is unplugged)")
    assert seen == []


def with_speed(report, **changes):
    first, *others = report.rows
    speed = msgspec.structs.replace(first.speed, **changes)
    return msgspec.structs.replace(report, rows=(msgspec.structs.replace(first, speed=speed), *others))


@pytest.fixture(scope="module")
def report():
    return read_report(ROOT / "benchmarks" / "results" / "amd-epyc-zen4-2-cores" / "precisions" / "report.json")


def test_a_report_shows_energy_or_why_there_is_none(report):
    energy = Energy(
        sensor="rapl", rails=(), seconds=3.0, joules=30.0, watts=10.0, idle_watts=4.0, joules_per_inference=0.018,
        joules_per_inference_with_idle=0.03, sample_rate_hz=None,
    )  # fmt: skip
    text = markdown_report(with_speed(report, energy=energy))
    assert "| 0.018 | 0.03 | 10 | 4 | rapl |" in text
    assert "- not measured: nobody counts" in markdown_report(with_speed(report, energy=NotMeasured("nobody counts")))


def test_a_report_tells_which_rows_were_throttled(report):
    text = markdown_report(with_speed(report, throttled=("the CPU's clock limit fell from 2000 to 1000 MHz",)))
    assert f"- {report.rows[0].artifact} in {report.rows[0].runtime}, " in text
    assert "the CPU's clock limit fell from 2000 to 1000 MHz" in text
    assert "The machine changed" not in markdown_report(report)


@pytest.mark.parametrize(("answer", "word"), [(True, "yes"), (False, "no"), (None, "not known")])
def test_a_report_says_throttled_yes_no_or_not_known(report, answer, word):
    alone = msgspec.structs.replace(report, rows=report.rows[:1])
    assert f"\n- Throttled: {word}\n" in markdown_report(with_speed(alone, did_throttle=answer))
