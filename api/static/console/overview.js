// The list of all numbers: what is wrong, with whom, and what can be done with many at once.

import { element, make, put, renderOnce, tell } from "./elements.js";
import { actOn, makeLinks } from "./bulk.js";
import { sparkline } from "./charts.js";
import { levelOf, putTrouble, rank, stateBadge } from "./state.js";
import { showCauses, showClients, showHour } from "./totals.js";
import { age, both, figure, fill, heard, lang, memory, pair, time, word, words } from "./words.js";

const COLUMNS = ["client", "state", "trouble", "hour", "since", "backlog", "dead", "restarts", "memory", "last_heard"];
const SUMMARY = ["total", "online_count", "need", "mends", "waiting", "dead", "merged"];
const ORDERS = {
  trouble: (a, b) => rank(a) - rank(b) || both(b.dead) - both(a.dead),
  number: () => 0,
  client: (a, b) => a.client.localeCompare(b.client, lang),
  state: (a, b) => a.state.localeCompare(b.state),
  hour: (a, b) => hourOf(b) - hourOf(a),
  since: (a, b) => time_of(b.since) - time_of(a.since),
  backlog: (a, b) => both(b.backlog) - both(a.backlog),
  dead: (a, b) => both(b.dead) - both(a.dead),
  restarts: (a, b) => b.restarts - a.restarts,
  memory: (a, b) => (b.memory ?? 0) - (a.memory ?? 0),
  last_heard: (a, b) => time_of(b.last_heard) - time_of(a.last_heard),
};

const rows = new Map(); // number -> its row in the list
const chosen = new Set();
// As many rows as one scrolls through; "Show more" adds as many again.
const PAGE = matchMedia("(max-width: 760px)").matches ? 20 : 50;
const wanted = { state: "", client: "", numbers: null, order: "trouble", isReversed: false, limit: PAGE };
let views = [];
let hours = new Map(); // number -> what it delivered in each minute of the last hour

const time_of = (text) => (text ? Date.parse(text) : 0);
const hourOf = ({ number }) => (hours.get(number) ?? []).reduce((sum, count) => sum + count, 0);
const changed = () => document.dispatchEvent(new Event("looked-for"));

export const viewOf = (number) => views.find((view) => view.number === number);

export function showOverview({ numbers, summary, merging }) {
  views = numbers;
  for (const view of views) {
    if (!rows.has(view.number)) rows.set(view.number, makeRow(view.number));
    putRow(rows.get(view.number), view);
  }
  dropMissing();
  showSummary(merging);
  showChips();
  showChoice(summary?.clients ?? []);
  showClients(summary?.clients ?? [], want);
  showCauses(summary?.causes ?? [], want);
  arrange();
}

export function showTraffic({ minutes, numbers }) {
  showHour(minutes);
  hours = new Map(numbers.map(({ number, counts }) => [number, counts]));
  for (const [number, { cells }] of rows) {
    const counts = hours.get(number);
    renderOnce(cells.hour, counts, () => cells.hour.replaceChildren(...(counts ? [sparkline(counts)] : [])));
  }
}

/** Shows one change as soon as it is received, before the next look at everything. */
export function takeChange(change) {
  const view = viewOf(change.number);
  if (!view) return false;
  Object.assign(view, change);
  putRow(rows.get(view.number), view);
  showSummary();
  showChips();
  arrange();
  return true;
}

function dropMissing() {
  const present = new Set(views.map(({ number }) => number));
  for (const [number, { row }] of rows) {
    if (present.has(number)) continue;
    row.remove();
    rows.delete(number);
    chosen.delete(number);
  }
}

function makeRow(number) {
  const box = make("input", { type: "checkbox", ariaLabel: fill(words.choose, { number: `+${number}` }), onchange: () => choose(number, box.checked) });
  const link = make("a", { className: "open", href: `#/numbers/${number}` }, `+${number}`);
  const cells = Object.fromEntries(COLUMNS.map((name) => [name, make("td", { className: name, "data-label": words[name] })]));
  const row = make("tr", {}, make("td", { className: "choice" }, box), make("th", { scope: "row" }, link), Object.values(cells));
  row.addEventListener("click", (event) => {
    if (!event.target.closest("a, input, button") && getSelection().isCollapsed) link.click();
  });
  return { row, cells, box };
}

function putRow({ row, cells }, view) {
  put(cells.client, view.client);
  renderOnce(cells.state, [view.state, view.attention], () => cells.state.replaceChildren(stateBadge(view)));
  putTrouble(cells.trouble, view);
  putFigure(cells.since, age(view.since), false, time(view.since));
  putFigure(cells.backlog, pair(view.backlog), both(view.backlog) > 0);
  putFigure(cells.dead, pair(view.dead), both(view.dead) > 0);
  putFigure(cells.restarts, figure(view.restarts), view.restarts > 0);
  putFigure(cells.memory, memory(view.memory), false, words.memory_how);
  putFigure(cells.last_heard, heard(view, words.unheard_short), false, time(view.last_heard) || heard(view));
  row.className = view.attention === "needs_somebody" ? "attention" : "";
}

function putFigure(cell, text, isNotable, title = "") {
  put(cell, text);
  cell.title = title;
  cell.classList.toggle("some", isNotable);
}

function showSummary(merging) {
  const count = (level) => views.filter((view) => levelOf(view) === level).length;
  const figures = {
    total: views.length,
    online_count: views.filter(({ status }) => status === "online").length,
    need: count("act"),
    mends: count("wait"),
    waiting: views.reduce((sum, { backlog }) => sum + both(backlog), 0),
    dead: views.reduce((sum, { dead }) => sum + both(dead), 0),
  };
  for (const name of SUMMARY.filter((each) => each in figures)) {
    put(element(name).lastElementChild, figure(figures[name]));
    element(name).classList.toggle("some", figures[name] > 0);
  }
  if (merging) showMerging(merging);
  document.title = (figures.need ? `(${figures.need}) ` : "") + words.title;
}

function showMerging(merging) {
  const bytes = views.reduce((sum, { merged }) => sum + (merged ?? 0), 0);
  const place = element("merged").lastElementChild;
  put(place, merging === "on" ? memory(bytes) : words[`merging_${merging}`]);
  place.title = words[`merging_${merging}_how`] ?? "";
}

function showChips() {
  const counts = new Map();
  for (const { state } of views) counts.set(state, (counts.get(state) ?? 0) + 1);
  const states = [...counts].sort(([a], [b]) => a.localeCompare(b));
  renderOnce(element("chips"), [states, wanted.state], () =>
    element("chips").replaceChildren(
      ...states.map(([state, count]) =>
        make("button", { type: "button", className: "chip", ariaPressed: String(wanted.state === state), onclick: () => want({ state: wanted.state === state ? "" : state }) },
          `${word("state", state)} ${figure(count)}`),
      ),
    ),
  );
}

function showChoice(clients) {
  const select = element("client");
  renderOnce(select, clients, () => {
    const options = clients.map((each) =>
      make("option", { value: each.client }, `${each.client} (${figure(each.online)} / ${figure(each.numbers)})`),
    );
    select.replaceChildren(make("option", { value: "" }, words.all_clients), ...options);
    select.value = wanted.client;
  });
}

function want(change) {
  Object.assign(wanted, { limit: PAGE }, change);
  element("client").value = wanted.client;
  showChips();
  arrange();
  changed();
}

export const isMeant = (view) => {
  const terms = element("filter").value.toLowerCase().replaceAll("+", "").split(/\s+/);
  const text = `${view.number} ${view.client} ${view.state} ${word("state", view.state)}`.toLowerCase();
  return (
    terms.every((term) => text.includes(term)) &&
    (!wanted.state || view.state === wanted.state) &&
    (!wanted.client || view.client === wanted.client) &&
    (!wanted.numbers || wanted.numbers.has(view.number))
  );
};

function arrange() {
  const order = ORDERS[wanted.order];
  const sign = wanted.isReversed ? -1 : 1;
  const sorted = [...views].sort((a, b) => sign * order(a, b) || a.client.localeCompare(b.client, lang) || a.number.localeCompare(b.number));
  const body = element("numbers").tBodies[0];
  const focused = document.activeElement;
  let place = body.firstElementChild;
  let count = 0;
  for (const view of sorted) {
    const { row } = rows.get(view.number);
    if (row === place) place = place.nextElementSibling;
    else body.insertBefore(row, place);
    const meant = isMeant(view);
    count += meant;
    row.hidden = !meant || count > wanted.limit;
  }
  if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
  element("everything").hidden = !(wanted.state || wanted.client || wanted.numbers || element("filter").value);
  showMore(count);
  tell(element("none"), count ? "" : views.length ? words.none_match : words.none);
  showChosen();
}

function showMore(count) {
  const left = count - wanted.limit;
  element("more").hidden = left <= 0;
  if (left > 0) put(element("more"), fill(words.more_numbers, { count: figure(Math.min(PAGE, left)), all: figure(count) }));
}

function choose(number, isChosen) {
  chosen[isChosen ? "add" : "delete"](number);
  showChosen();
}

function showChosen() {
  const meant = views.filter(isMeant).map(({ number }) => number);
  element("choose-all").checked = meant.length > 0 && meant.every((number) => chosen.has(number));
  for (const [number, { box }] of rows) box.checked = chosen.has(number);
  put(element("chosen"), fill(words.chosen, { count: figure(chosen.size) }));
  element("bulk").hidden = chosen.size === 0;
}

export function beginOverview(carryOut) {
  for (const name of ["restart", "stop", "start", "replay"]) {
    element(`bulk-${name}`).addEventListener("click", ({ currentTarget }) => carryOut(currentTarget, () => actOn([...chosen], name), element("bulk-said")));
  }
  element("bulk-links").addEventListener("click", ({ currentTarget }) => carryOut(currentTarget, () => makeLinks([...chosen]), element("bulk-said")));
  element("filter").addEventListener("input", () => want({}));
  element("client").addEventListener("change", ({ currentTarget }) => want({ client: currentTarget.value }));
  element("everything").addEventListener("click", () => {
    element("filter").value = "";
    want({ state: "", client: "", numbers: null });
  });
  element("more").addEventListener("click", () => {
    wanted.limit += PAGE;
    arrange();
  });
  element("choose-all").addEventListener("change", ({ currentTarget }) => {
    for (const view of views.filter(isMeant)) choose(view.number, currentTarget.checked);
  });
  for (const header of element("numbers").querySelectorAll("button[data-order]")) {
    header.addEventListener("click", () => sortBy(header.dataset.order));
  }
}

function sortBy(order) {
  want({ order, isReversed: wanted.order === order && !wanted.isReversed });
  for (const header of element("numbers").querySelectorAll("button[data-order]")) {
    const isIt = header.dataset.order === order;
    header.closest("th").ariaSort = isIt ? (wanted.isReversed ? "descending" : "ascending") : "none";
  }
}
