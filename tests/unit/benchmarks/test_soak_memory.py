"""Whether something grows during a soak, judged from samples."""

from __future__ import annotations

import pytest

from benchmarks.soak.memory import FEWEST, Sample, report, trends

FLAT = Sample(gateway_memory=80.0, gateway_files=60.0, worker_memory=10.0, worker_files=12.0)


def growing(**steps: float) -> list[Sample]:
    """Return samples in which these figures grow by so much each time."""
    return [
        Sample(
            gateway_memory=80.0 + steps.get("gateway_memory", 0.0) * place,
            gateway_files=60.0 + steps.get("gateway_files", 0.0) * place,
            worker_memory=10.0 + steps.get("worker_memory", 0.0) * place,
            worker_files=12.0 + steps.get("worker_files", 0.0) * place,
        )
        for place in range(40)
    ]


def test_constant_figures_are_flat() -> None:
    """What stays as it is does not grow, and neither does what peaks once."""
    peak = Sample(gateway_memory=300.0, gateway_files=900.0, worker_memory=50.0, worker_files=90.0)
    samples = [FLAT] * 20 + [peak] + [FLAT] * 20

    assert all(trend.is_flat for trend in trends(samples))
    assert trends(samples)[0].most == 300.0


@pytest.mark.parametrize(
    "step",
    [
        {"gateway_memory": 3.0},
        {"gateway_files": 1.0},
        {"worker_memory": 0.3},
        {"worker_files": 0.3},
    ],
)
def test_steady_growth_is_found(step: dict[str, float]) -> None:
    """Each figure that grows on and on is named, and only that one."""
    [name] = step

    assert [trend.name for trend in trends(growing(**step)) if not trend.is_flat] == [name]
    assert [line for line in report(growing(**step)) if "GROWS" in line]


def test_warming_up_does_not_count() -> None:
    """Growth that ends within the first quarter is no growth."""
    cold = Sample(gateway_memory=40.0, gateway_files=20.0, worker_memory=5.0, worker_files=6.0)

    assert all(trend.is_flat for trend in trends([cold] * 10 + [FLAT] * 30))


def test_few_samples_say_nothing() -> None:
    """A short soak is not judged."""
    assert trends([FLAT] * (FEWEST - 1)) == []
