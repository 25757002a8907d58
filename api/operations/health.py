"""What a platform asks for: liveness, readiness, and metrics."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from quart import Blueprint, Response, request
from quart_schema import document_response, tag

from api.context import context
from api.nodes.fleet import views_of_all_nodes
from api.requests.body import Answer, respond
from api.requests.errors import ApiError
from api.requests.openapi import ADMIN, gives, needs
from supervisor.database.tables import Direction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from prometheus_client.metrics_core import Metric

    from supervisor.gateway import Readiness
    from supervisor.histogram import Histogram
    from supervisor.journal.values import ByDirection
    from supervisor.monitoring.monitor import Monitor
    from supervisor.nodes.cluster_state import ListedNode
    from supervisor.numbers.view import View
    from supervisor.processes.page_merging import PageMerging


CONTENT_TYPE = CONTENT_TYPE_LATEST
LARGEST_FIGURE = 2**63  # a larger one is nonsense and must not make the other figures unreadable


_BACKLOG = "Messages not yet delivered: `in` to Planfix, `out` to Telegram."
_DEAD = "Dead letters that nobody has replayed or dismissed yet."
_OLDEST = "For how long the oldest message that waits has been stored."
_HEARD = "How long ago the newest Telegram update came."


class Figures(Collector):
    """The figures of all numbers at one moment."""

    def __init__(
        self,
        views: Sequence[View],
        readiness: Readiness,
        merging: PageMerging,
        old_keys: int,
        nodes: Sequence[ListedNode],
    ) -> None:
        self._nodes = nodes
        self._views = views
        self._merging = merging
        self._readiness = readiness
        self._old_keys = old_keys
        self._now = datetime.now(UTC)

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "telefix_ready",
            "1 while every number that should run has been started.",
            int(self._readiness.ok),
        )
        yield GaugeMetricFamily(
            "telefix_old_key_uses",
            "How many stored secrets still need an older key of SECRET_KEY.",
            self._old_keys,
        )
        yield self._nodes_by_state()
        yield self._states()
        yield self._restarts()
        yield self._counts("telefix_backlog", _BACKLOG, lambda view: view.backlog)
        yield self._counts("telefix_dead_letters", _DEAD, lambda view: view.dead)
        yield self._ages(
            "telefix_oldest_waiting_seconds", _OLDEST, lambda view: view.oldest_waiting
        )
        yield self._ages("telefix_last_heard_seconds", _HEARD, lambda view: view.last_heard)
        yield self._each_state()
        yield self._memory()
        yield self._merged()
        yield self._loop_lag()
        yield self._queue_depth()
        yield self._page_merging()

    def _states(self) -> Metric:
        family = GaugeMetricFamily("telefix_numbers", "Numbers per state.", labels=["state"])
        for state, count in sorted(Counter(str(view.state) for view in self._views).items()):
            family.add_metric([state], count)
        return family

    def _restarts(self) -> Metric:
        text = "Restarts of a number's worker."
        family = CounterMetricFamily("telefix_worker_restarts", text, labels=["number"])
        for view in self._views:
            family.add_metric([view.number], view.restarts)
        return family

    def _each_state(self) -> Metric:
        text = "The state of a number; the current state has the value 1."
        labels = ["number", "client", "state"]
        family = GaugeMetricFamily("telefix_number_state", text, labels=labels)
        for view in self._views:
            family.add_metric([view.number, view.client, view.state], 1)
        return family

    def _counts(self, name: str, text: str, count: Callable[[View], ByDirection]) -> Metric:
        family = GaugeMetricFamily(name, text, labels=["number", "direction"])
        for view in self._views:
            family.add_metric([view.number, "in"], count(view).into)
            family.add_metric([view.number, "out"], count(view).out)
        return family

    def _ages(self, name: str, text: str, moment: Callable[[View], datetime | None]) -> Metric:
        family = GaugeMetricFamily(name, text, labels=["number"])
        for view in self._views:
            since = moment(view)
            if since is not None:
                family.add_metric([view.number], max(0.0, (self._now - since).total_seconds()))
        return family

    def _memory(self) -> Metric:
        text = "Memory of a number's worker."
        family = GaugeMetricFamily("telefix_worker_memory_bytes", text, labels=["number"])
        for view in self._views:
            if view.worker is not None and view.worker.memory <= LARGEST_FIGURE:
                family.add_metric([view.number], view.worker.memory)
        return family

    def _merged(self) -> Metric:
        text = (
            "Memory of a number's worker in pages that the kernel shares between several processes."
        )
        family = GaugeMetricFamily("telefix_worker_merged_bytes", text, labels=["number"])
        for view in self._views:
            if view.worker is not None and view.worker.merged is not None:
                family.add_metric([view.number], view.worker.merged)
        return family

    def _loop_lag(self) -> Metric:
        text = "How late the event loop of a number's worker was at its last report."
        family = GaugeMetricFamily("telefix_worker_loop_lag_seconds", text, labels=["number"])
        for view in self._views:
            if view.worker is not None:
                family.add_metric([view.number], view.worker.loop_lag)
        return family

    def _queue_depth(self) -> Metric:
        text = "Telegram updates that wait in a number's worker."
        family = GaugeMetricFamily("telefix_worker_queue_depth", text, labels=["number"])
        for view in self._views:
            if view.worker is not None and view.worker.queue_depth <= LARGEST_FIGURE:
                family.add_metric([view.number], view.worker.queue_depth)
        return family

    def _nodes_by_state(self) -> Metric:
        text = "How many gateways share the database, by state."
        family = GaugeMetricFamily("telefix_nodes", text, labels=["state"])
        for state, count in Counter(str(node.state) for node in self._nodes).items():
            family.add_metric([state], count)
        return family

    def _page_merging(self) -> Metric:
        text = "Whether the kernel merges equal memory pages of workers; the current state has the value 1."
        family = GaugeMetricFamily("telefix_page_merging", text, labels=["state"])
        family.add_metric([self._merging], 1)
        return family


def render_metrics(*collectors: Collector) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    for collector in collectors:
        registry.register(collector)
    return generate_latest(registry)


class HealthAnswer(Answer):
    """The health of the gateway."""

    status: str


blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@tag(["health"])
@document_response(HealthAnswer)
async def get_healthz() -> Response:
    """Answer 200 while the process serves requests; workers are not asked."""
    return respond(HealthAnswer(status="ok"))


@blueprint.get("/readyz")
@tag(["health"])
@document_response(HealthAnswer)
async def get_readyz() -> Response:
    """Answer 200 once every number that should run has been started."""
    readiness = await context(on_standby=True).gateway.readiness()
    if not readiness.ok:
        raise ApiError(503, "not_ready", readiness.reason or "not ready")
    return respond(HealthAnswer(status="ready"))


@blueprint.get("/metrics")
@tag(["health"])
@needs(ADMIN)
@gives(CONTENT_TYPE)
async def get_metrics() -> Response:
    """Return the metrics for Prometheus."""
    context().authenticator.require_operator(request)
    gateway = context().gateway
    old_keys = await gateway.keys.count_old()
    merging = await gateway.page_merging()
    views = [*await views_of_all_nodes(), *await views_of_all_nodes(are_bots=True)]
    nodes = await gateway.nodes()
    figures = Figures(views, await gateway.readiness(), merging, old_keys, nodes)
    text = render_metrics(figures, Traffic(views, gateway.monitor))
    return Response(text, content_type=CONTENT_TYPE)


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
        text = "How long it took until Planfix accepted a message that was stored."
        yield _durations("telefix_way_in_seconds", text, monitor.delays[Direction.IN])
        text = "How long it took until Telegram accepted a message that was stored."
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
