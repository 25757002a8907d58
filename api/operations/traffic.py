"""The metrics of what happened: messages and how long they took, commits, and the event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from supervisor.database.tables import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prometheus_client.metrics_core import Metric

    from supervisor.histogram import Histogram
    from supervisor.monitoring.monitor import Monitor
    from supervisor.numbers.view import View


class Traffic(Collector):
    """What happened since the gateway started; a restart begins at zero, as Prometheus expects."""

    def __init__(self, views: Sequence[View], monitor: Monitor) -> None:
        self._views = views
        self._monitor = monitor

    def collect(self) -> Iterator[Metric]:
        monitor = self._monitor
        yield self._delivered()
        yield self._failures()
        yield self._deaf()
        text = "How long a message took from its storing to Planfix."
        yield _durations("telefix_way_in_seconds", text, monitor.delays[Direction.IN])
        text = "How long a message took from its storing to Telegram."
        yield _durations("telefix_way_out_seconds", text, monitor.delays[Direction.OUT])
        text = "How long the transactions of the database's writer took."
        yield _durations("telefix_commit_seconds", text, monitor.commits)
        text = "How late the event loop of the gateway woke a task."
        yield _durations("telefix_loop_lag_seconds", text, monitor.lag)

    def _delivered(self) -> Metric:
        text = "Messages delivered: `in` to Planfix, `out` to Telegram."
        family = CounterMetricFamily("telefix_delivered", text, labels=["number", "direction"])
        for view in self._views:
            for direction in Direction:
                count = self._monitor.delivered[view.number, direction]
                family.add_metric([view.number, direction], count)
        return family

    def _failures(self) -> Metric:
        text = "Tries to deliver a message that failed."
        family = CounterMetricFamily("telefix_failed_tries", text, labels=["number"])
        for view in self._views:
            family.add_metric([view.number], self._monitor.failures[view.number])
        return family

    def _deaf(self) -> Metric:
        text = "For how long the number was deaf: connected, but told of no new messages."
        family = CounterMetricFamily("telefix_deaf_seconds", text, labels=["number"])
        for view in self._views:
            family.add_metric([view.number], view.deaf_seconds)
        return family


def _durations(name: str, text: str, histogram: Histogram) -> Metric:
    family = HistogramMetricFamily(name, text)
    family.add_metric([], histogram.buckets(), histogram.total)
    return family
