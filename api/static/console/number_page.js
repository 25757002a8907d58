// The page of one number, with an address of its own: #/numbers/380501112233/messages.

import { dayChart, hourChart, stateTold } from "./charts.js";
import { element, facts, forget, make, put, renderOnce, table, tell } from "./elements.js";
import { Refused, ask } from "./gateway.js";
import { logPanel } from "./log_panel.js";
import { loginPanel } from "./login_panel.js";
import { messagesPanel } from "./messages.js";
import { settingsPanel } from "./settings.js";
import { levelOf, putTrouble, stateBadge } from "./state.js";
import { age, both, duration, fill, heard, memory, pair, time, word, words } from "./words.js";

const TABS = ["state", "messages", "history", "receipts", "log", "audit", "settings"];
const PAGE = 100;

let opened = null; // the number whose page is shown
let tab = "state";
let view = null;

export const openedNumber = () => opened;

export function openNumber(number, name, known) {
  const isNew = number !== opened;
  opened = number;
  tab = TABS.includes(name) ? name : "state";
  if (isNew) {
    view = known ?? null;
    tell(element("said"), "");
    for (const id of ["number-facts", "number-login", "panel"]) {
      forget(element(id));
      element(id).replaceChildren();
    }
  }
  showTabs();
  if (view) showView();
  element("panel").replaceChildren();
  forget(element("panel"));
  if (isNew) element("number-title").focus();
}

export function closeNumber() {
  opened = null;
  view = null;
}

/** Reads what the page shows; `bearer` tells whether somebody else has signed in meanwhile. */
export async function lookInside() {
  const number = opened;
  if (!number) return;
  const [answer, panel] = await Promise.all([ask("GET", `numbers/${number}`), PANELS[tab](number)]);
  if (number !== opened) return;
  view = answer;
  showView();
  panel?.();
}

function showTabs() {
  element("tabs").replaceChildren(
    ...TABS.map((name) =>
      make("a", { href: `#/numbers/${opened}/${name}`, ariaCurrent: name === tab ? "page" : null }, words[`tab_${name}`]),
    ),
  );
  const shown = element("tabs").querySelector("[aria-current]"); // the strip scrolls on a phone
  element("tabs").scrollLeft = shown.offsetLeft + shown.offsetWidth - element("tabs").clientWidth;
}

function showView() {
  const isStopped = view.state === "stopped";
  put(element("number-title"), `+${view.number}`);
  put(element("number-client"), view.client);
  renderOnce(element("number-state"), [view.state, view.attention], () => element("number-state").replaceChildren(stateBadge(view)));
  putTrouble(element("number-trouble"), view);
  element("number").classList.toggle("attention", levelOf(view) === "act");
  for (const id of ["restart", "stop"]) element(id).hidden = isStopped;
  element("start").hidden = !isStopped;
  element("replay-all").hidden = both(view.dead) === 0;
  loginPanel(element("number-login"), view);
  const shown = factsOf(view);
  renderOnce(element("number-facts"), shown, () => element("number-facts").replaceChildren(facts(shown)));
}

function factsOf(view) {
  const { since, backlog, dead, oldest_waiting, restarts, worker, merged, proxy, governor, node } = view;
  return [
    [words.since, time(since)],
    [words.last_heard, heard(view)],
    [words.backlog, pair(backlog)],
    [words.oldest_waiting, oldest_waiting == null ? "" : typeof oldest_waiting === "number" ? duration(oldest_waiting) : age(oldest_waiting)],
    [words.dead, pair(dead)],
    [words.restarts, restarts],
    [words.pid, worker?.pid],
    [words.uptime, worker ? duration(worker.uptime) : ""],
    [words.memory, worker ? memory(worker.memory) : ""],
    [words.merged, merged ? memory(merged) : ""],
    [words.proxy, proxy && `${proxy.kind} ${proxy.host}:${proxy.port}`],
    [words.node, node],
    ...governorFacts(governor),
  ];
}

/** What is left of the budgets that keep a number from being banned. */
function governorFacts(governor) {
  if (!governor) return [];
  const { first_contacts: first, look_ups: lookUps, answers_only_until: until } = governor;
  const waiting = first.waiting ? [first.waiting, first.next_at && time(first.next_at)].filter(Boolean).join(", ") : "";
  return [
    [words.first_contacts, `${first.left} / ${first.per_day}`],
    [words.first_contacts_waiting, waiting],
    [words.look_ups, lookUps.left],
    [words.answers_only, time(until)],
  ];
}

/** What each tab shows. */
const PANELS = {
  state: statePanel,
  messages: (number) => messagesPanel(element("panel"), number, carryOut),
  log: (number) => logPanel(element("panel"), number, () => opened === number && tab === "log"),
  settings: (number) => settingsPanel(element("panel"), number, () => view, carryOut),
  history: async (number) => {
    const { states } = await ask("GET", `numbers/${number}/history?limit=${PAGE}`);
    return () => showTable(states, words.no_history, [words.time, words.state, words.cause], historyRow);
  },
  receipts: async (number) => {
    const { receipts } = await ask("GET", `numbers/${number}/receipts`);
    const columns = ["began", "found", "delivered_count", "missing", "detail"].map((name) => words[name]);
    return () => showTable(receipts, words.no_receipts, columns, (one) => [time(one.began), one.found, one.delivered, one.missing, one.detail]);
  },
  audit: async (number) => {
    const { entries } = await ask("GET", `audit?number=${number}&limit=${PAGE}`);
    const columns = ["time", "who", "action", "detail"].map((name) => words[name]);
    return () => showTable(entries, words.no_audit, columns, (one) => [time(one.at), word("who", one.who.replace(" ", "_")), word("did", one.action), one.detail]);
  },
};

async function statePanel(number) {
  const [{ minutes }, { states }] = await Promise.all([
    ask("GET", `numbers/${number}/traffic`),
    ask("GET", `numbers/${number}/history?limit=${PAGE}`),
  ]);
  return () => {
    const told = stateTold(view);
    renderOnce(element("panel"), [tab, minutes, states, told], () =>
      element("panel").replaceChildren(dayChart(view, states, told, make("h3", {}, words.day)), hourChart(minutes, make("h3", {}, words.hour))),
    );
  };
}

function showTable(items, empty, columns, row) {
  renderOnce(element("panel"), [tab, items], () => element("panel").replaceChildren(table(words[`tab_${tab}`], columns, items.map(row), empty)));
}

function historyRow({ at, state, cause, detail }) {
  const why = cause ? `${cause.message} ${cause.action}` : (detail ?? "");
  return [time(at), word("state", state), why];
}

/** Runs an action, shows its outcome, and reads everything again. */
async function carryOut(button, action, place = element("said")) {
  const number = opened;
  const told = (text, isBad) => number === opened && tell(place, text, isBad);
  button.disabled = true;
  told("");
  try {
    told((await action()) ?? words.done);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    told(fill(words.refused, { reason: error.message }), true);
  } finally {
    button.disabled = false;
    document.dispatchEvent(new Event("changed"));
  }
}

export { carryOut };

async function replayAll() {
  const { replayed } = await ask("POST", `numbers/${opened}/replay`);
  return fill(words.replayed, { count: replayed });
}

async function stop() {
  if (!confirm(fill(words.stop_sure, { number: `+${opened}` }))) return "";
  await ask("DELETE", "webhook", { name: view.client, number: opened });
  return words.done;
}

async function purge() {
  const number = opened;
  await ask("DELETE", "webhook", { name: view.client, number, purge: true });
  location.hash = "#/";
  tell(element("bulk-said"), fill(words.purged, { number: `+${number}` }));
}

export function beginNumberPage() {
  const actions = {
    restart: async () => void (await ask("POST", `numbers/${opened}/restart`)),
    start: async () => void (await ask("PUT", "webhook", { number: opened })),
    stop,
    "replay-all": replayAll,
  };
  for (const [id, action] of Object.entries(actions)) {
    element(id).addEventListener("click", () => carryOut(element(id), action));
  }
  const form = element("purge");
  const button = form.querySelector("button");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    carryOut(button, purge).then(() => form.reset());
  });
  form.addEventListener("input", () => {
    button.disabled = form.elements.number.value.replace(/[\s+]/g, "") !== opened;
  });
}
