"""What lies in `deploy/` fits this gateway: its files, its metrics, its settings."""

from __future__ import annotations

import asyncio
import configparser
import json
import re
import shutil
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
import yaml  # type: ignore[import-untyped]  # it ships no types
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from api.settings import Settings
from tests.acceptance.api.operator import ADMIN_KEY, SECRET_KEY
from tests.acceptance.api.server import TOP, gateway
from tests.support.callers import caller

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

pytestmark = pytest.mark.asyncio(loop_scope="module")
DEPLOY = TOP / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
METRIC = re.compile(r"\b(telefix_\w+)(?:\{([^}]*)\})?")
LABEL = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"')


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def metrics(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Start the gateway from the files of the image alone; return its metrics with their labels."""
    folder = tmp_path_factory.mktemp("image")
    for source, place in re.findall(r"(?m)^COPY (?!--from)(\S+) (\S+)$", DOCKERFILE):
        if (TOP / source).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "node_modules")
            shutil.copytree(TOP / source, folder / place, ignore=ignored)
    key = await asyncio.to_thread(rsa.generate_private_key, 65537, 2048)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.PKCS1
    )
    (folder / "key.pem").write_bytes(public)
    settings = {
        "PYTHONPATH": str(folder),
        "DATA_DIR": str(folder / "data"),
        "ADMIN_KEY": ADMIN_KEY,
        "SECRET_KEY": SECRET_KEY,
        "TELEGRAM_API_ID": "1",
        "TELEGRAM_API_HASH": "hash",
        "TELEGRAM_DC": "127.0.0.1:9",
        "TELEGRAM_DC_KEY": str(folder / "key.pem"),
        "ALLOW_PRIVATE_PLANFIX": "1",
    }
    number = {
        "name": "Shop",
        "number": "380441112233",
        "url_planfix": "http://127.0.0.1:9/webchat/api",
        "token_planfix": "key",
    }
    async with gateway(folder, settings) as server:
        await server.wait_ready()
        headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
        async with caller(server.url, headers=headers) as operator:
            created = await operator.post("/webhook?wait=60", json=number)
            assert created.json()["state"] == "needs_login", created.text
            exported = (await operator.get("/metrics")).text
    return labels_of(exported)


def labels_of(exported: str) -> dict[str, set[str]]:
    """Return the labels of each metric that a page of them shows, or at least announces."""
    found: dict[str, set[str]] = {
        name + ("_total" if kind == "counter" and not name.endswith("_total") else ""): set()
        for name, kind in re.findall(r"(?m)^# TYPE (\S+) (\S+)$", exported)
    }
    for name, labels in re.findall(r"(?m)^(\w+)\{(.*)\} ", exported):
        found.setdefault(name, set()).update(LABEL.findall(labels))
    return found


def unknown_in(expressions: Iterable[str], known: dict[str, set[str]]) -> list[str]:
    """Name the metrics that do not exist, and the labels that a metric with samples does not have."""
    missing = []
    for expression in expressions:
        for name, selectors in METRIC.findall(expression):
            if name not in known:
                missing.append(name)
            elif known[name]:
                missing += sorted(set(LABEL.findall(selectors)) - known[name])
    return missing


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((DEPLOY / "alerts.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


async def test_alerts_ask_for_metrics_that_exist(metrics: dict[str, set[str]]) -> None:
    """Each rule uses exported metrics and labels, and says in words what happened and what to do."""
    for rule in rules():
        named = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        (used,) = METRIC.findall(rule["expr"]) or [("", "")]

        assert unknown_in([rule["expr"]], metrics) == []
        assert named <= (metrics.get(used[0]) or named), rule["alert"]
        assert rule["annotations"]["action"].endswith(".")
        assert rule["labels"]["severity"] in {"info", "warning", "critical"}
    assert len({rule["alert"] for rule in rules()}) == len(rules()) > 5


async def test_dashboard_asks_for_metrics_that_exist(metrics: dict[str, set[str]]) -> None:
    """Every panel of the dashboard has its data, its explanation and a place of its own."""
    dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
    panels = dashboard["panels"]
    asked = [target["expr"] for panel in panels for target in panel["targets"]]
    asked += [each["query"] for each in dashboard["templating"]["list"]]

    assert unknown_in(asked, metrics) == []
    assert all(panel["description"] for panel in panels)
    places = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(places) == len(set(places))


async def test_every_metric_is_watched(metrics: dict[str, set[str]]) -> None:
    """What the gateway exports about numbers is on the dashboard or in a rule."""
    watched = "".join(
        (DEPLOY / name).read_text() for name in ("grafana-dashboard.json", "alerts.yaml")
    )
    ours = {name for name in metrics if name.startswith("telefix_")}

    assert {name for name in ours if name not in watched} <= {"telefix_page_merging"}


async def test_unknown_metrics_are_found() -> None:
    """A metric or a label that is not exported is reported by its name."""
    known = {"telefix_ready": set[str](), "telefix_backlog": {"number"}}

    found = unknown_in(['telefix_gone > 0 or telefix_backlog{client="x", number="1"}'], known)

    assert found == ["telefix_gone", "client"]


async def test_production_has_no_tools_for_tests() -> None:
    """What only tests and benchmarks need is not installed beside the gateway, nor what it brings."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    tools = {re.split(r"[>=<\[]", each)[0] for each in project["optional-dependencies"]["dev"]}
    locked = set(re.findall(r"(?m)^([\w.-]+)==", (TOP / "requirements.txt").read_text()))

    assert len(locked) > 20
    assert locked & (tools | {"aiohttp", "requests", "pip", "setuptools"}) == set()


async def test_image_runs_as_the_gateway_wants() -> None:
    """The image is not root's, is asked for its health, and ends by the signal that is understood."""
    final = DOCKERFILE.rpartition("\nFROM ")[2]

    assert re.search(r"(?m)^USER 10001:10001$", final)
    assert re.search(r"(?m)^HEALTHCHECK .*\\\n.*/healthz", final)
    assert "STOPSIGNAL SIGTERM" in final
    assert "--workers 0" in final
    assert "--require-hashes" in DOCKERFILE
    kept = re.findall(r"(?m)^!(\S+)$", (TOP / ".dockerignore").read_text())
    copied = re.findall(r"(?m)^COPY (?!--from)(\S+)", DOCKERFILE)
    assert sorted(kept) == sorted(copied)
    health = re.search(r'"-c", "(import .*)"\]', DOCKERFILE)
    assert health is not None
    compile(health[1].replace('\\"', '"'), "healthcheck", "exec")


async def test_compose_sets_what_the_gateway_reads() -> None:
    """The services name settings that exist, wait for each other and keep their data."""
    made = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    service = made["services"]["gateway"]

    assert set(service["environment"]) <= {name.upper() for name in Settings.model_fields}
    assert (TOP / "deploy" / service["build"]["context"]).resolve() == TOP
    assert (TOP / service["build"]["dockerfile"]).is_file()
    assert set(service["depends_on"]) <= set(made["services"])
    mounted = {
        each.split(":")[0] for one in made["services"].values() for each in one.get("volumes", ())
    }
    assert mounted == set(made["volumes"])
    assert (service["init"], service["cap_drop"]) == (True, ["ALL"])


async def test_unit_is_one_that_systemd_understands(tmp_path: Path) -> None:
    """The unit starts the command of the Procfile, and systemd, where it is, has nothing to say."""
    text = (DEPLOY / "telefix.service").read_text()
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # the names of systemd have capitals
    unit.read_string(text)
    command = unit["Service"]["ExecStart"]
    assert '--workers 0 --bind 127.0.0.1:8080 "api:create_app()"' in command
    assert unit["Service"]["RestartPreventExitStatus"] == "78"
    checker = shutil.which("systemd-analyze")
    if checker is not None:
        here = tmp_path / "telefix.service"
        here.write_text(
            text.replace(command.split()[0], sys.executable).replace("=telefix", "=root")
        )
        process = await asyncio.create_subprocess_exec(
            *(checker, "verify", "--man=no", str(here)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        assert "telefix.service" not in said.decode(), said.decode()


async def test_proxies_open_the_same_addresses() -> None:
    """Both examples of a proxy let clients and Planfix in at the same addresses, and log no keys."""
    nginx, caddy = ((DEPLOY / name).read_text() for name in ("nginx.conf", "Caddyfile"))
    opened = re.search(r"@open path_regexp (\S+)", caddy)
    assert opened is not None
    locations = re.findall(r"(?m)^    location (=|~)? ?(\S+) +\{ proxy_pass", nginx)
    examples = [
        "/bot7:secret/getMe" if kind == "~" else path + ("x" if path.endswith("/") else "")
        for kind, path in locations
    ]

    assert len(examples) > 8
    assert [path for path in examples if not re.match(opened[1], path)] == []
    for path in ("/console", "/metrics", "/audit", "/events", "/nodes"):
        assert not re.match(opened[1], path)
    for path in ("/files/", "/login/", "^/bot[0-9]+:"):
        (line,) = (each for each in nginx.splitlines() if f" {path} " in each)
        assert "access_log off" in line
