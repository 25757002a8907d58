// Shows the state of every number by calling the API with the operator's key.
"use strict";

const PAUSE = 2500; // milliseconds between two updates
const PATIENCE = { GET: 10000, others: 30000 }; // milliseconds an answer may take
const PAGE = 50; // messages shown at first, and added by each "Show more"
const MOST = 500;
const KEY = "admin_key";
const SOMEBODY = new Set(["needs_login", "needs_code", "needs_password", "banned", "parked"]);

const COLUMNS = ["client", "state", "trouble", "since", "backlog", "restarts", "memory", "last_heard"];

const element = (id) => document.getElementById(id);
const words = JSON.parse(element("words").textContent);
const isOurs = (tag) => /^[a-z]{2}(-[A-Z]{2})?$/.test(tag) && tag.startsWith(document.documentElement.lang);
const lang = navigator.languages.find(isOurs) ?? document.documentElement.lang; // with the country, because date formats differ
const ages = new Intl.RelativeTimeFormat(lang, { style: "short", numeric: "always" });
const megabytes = new Intl.NumberFormat(lang, { style: "unit", unit: "megabyte", maximumFractionDigits: 0 });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

const rows = new Map(); // number -> its row in the list
const shown = new WeakMap(); // what each part of the details shows, to render only what changed
let views = [];
let opened = null; // the number whose details are open
let limit = PAGE;
let lastLook = null;
let isHurried = false;
let wake = () => {};

class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const key = () => sessionStorage.getItem(KEY);

async function ask(method, path, body, bearer = key()) {
  const headers = { Authorization: `Bearer ${bearer}` };
  if (body) headers["Content-Type"] = "application/json";
  const signal = AbortSignal.timeout(PATIENCE[method] ?? PATIENCE.others);
  let response, answer;
  try {
    response = await fetch(path, { method, headers, body: body && JSON.stringify(body), cache: "no-store", signal });
    answer = await response.json();
  } catch {
    throw new Refused(0, "unreachable", words.unreachable);
  }
  if (response.ok) return answer;
  throw new Refused(response.status, answer.error, explain(answer.detail) || String(response.status));
}

function explain(detail) {
  if (!Array.isArray(detail)) return detail;
  return detail.map(({ field, reason }) => `${field}: ${reason}`).join("; ");
}

// Texts

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const word = (kind, name) => words[`${kind}_${name}`] ?? name;
const clock = (moment) => moment.toLocaleTimeString(lang);
const time = (text) => (text ? new Date(text).toLocaleString(lang, { dateStyle: "short", timeStyle: "medium" }) : "");
const memory = (bytes) => (bytes == null ? "–" : megabytes.format(bytes / 1e6));

function measure(seconds) {
  const [unit, length] = UNITS.find(([, size]) => seconds >= size) ?? UNITS.at(-1);
  return [Math.floor(seconds / length), unit];
}

function age(text) {
  if (!text) return words.never;
  const [count, unit] = measure(Math.max(0, (Date.now() - new Date(text)) / 1000));
  return ages.format(-count, unit);
}

function duration(seconds) {
  const [count, unit] = measure(seconds);
  return new Intl.NumberFormat(lang, { style: "unit", unit, unitDisplay: "long" }).format(count);
}

// Elements; texts from strangers are only ever inserted as text

function make(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children.filter((child) => child != null && child !== false && child !== ""));
  return made;
}

function put(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

function tell(place, text, isBad = false) {
  put(place, text);
  place.hidden = !text;
  place.classList.toggle("bad", isBad);
}

function makeButton(label, action) {
  const button = make("button", "", label);
  button.type = "button";
  button.addEventListener("click", () => carryOut(button, action));
  return button;
}

function putBadge(place, state) {
  put(place, word("state", state));
  place.className = `badge ${levelOf(state)}`;
}

function putTrouble(place, { state, last_error: error }) {
  const known = error ?? (words[`todo_${state}`] && { message: "", action: words[`todo_${state}`] });
  const value = state === "stopped" ? null : known;
  renderOnce(place, value, () =>
    place.replaceChildren(...(value ? [make("span", "what", value.message), make("strong", "", value.action)] : [])),
  );
}

function renderOnce(place, value, render) {
  const text = JSON.stringify(value ?? null);
  if (shown.get(place) === text) return;
  shown.set(place, text);
  render();
}

// The list

function levelOf(state) {
  if (SOMEBODY.has(state)) return "act";
  return { online: "good", stopped: "off" }[state] ?? "wait";
}

function rank({ state, last_error: error }) {
  const place = { act: 0, wait: 1, good: error ? 2 : 3, off: 3 };
  return place[levelOf(state)];
}

const needsSomebody = (view) => SOMEBODY.has(view.state) || (view.state === "online" && view.last_error);

const inOrder = (a, b) =>
  rank(a) - rank(b) || a.client.localeCompare(b.client, lang) || a.number.localeCompare(b.number);

function makeRow(number) {
  const open = make("button", "open", `+${number}`);
  open.type = "button";
  const cells = {};
  const row = make("tr", "", make("th", "", open));
  row.firstChild.scope = "row";
  for (const name of COLUMNS) {
    cells[name] = make("td", name);
    cells[name].dataset.label = words[name];
    row.append(cells[name]);
  }
  const badge = make("span");
  cells.state.append(badge);
  row.addEventListener("click", () => getSelection().isCollapsed && openDetails(number));
  return { row, cells, badge };
}

function putRow({ row, cells, badge }, view) {
  put(cells.client, view.client);
  putBadge(badge, view.state);
  putTrouble(cells.trouble, view);
  put(cells.since, age(view.since));
  cells.since.title = time(view.since);
  put(cells.backlog, `${view.backlog.in} / ${view.backlog.out}`);
  put(cells.restarts, String(view.restarts));
  put(cells.memory, memory(view.memory));
  put(cells.last_heard, age(view.last_heard));
  cells.last_heard.title = time(view.last_heard);
  cells.backlog.classList.toggle("some", view.backlog.in + view.backlog.out > 0);
  cells.restarts.classList.toggle("some", view.restarts > 0);
  row.classList.toggle("attention", Boolean(needsSomebody(view)));
}

function showList({ numbers, merging }) {
  views = numbers.sort(inOrder);
  const body = element("numbers").tBodies[0];
  const focused = document.activeElement;
  let place = body.firstElementChild;
  for (const view of views) {
    if (!rows.has(view.number)) rows.set(view.number, makeRow(view.number));
    const known = rows.get(view.number);
    putRow(known, view);
    if (known.row === place) place = place.nextElementSibling;
    else body.insertBefore(known.row, place);
  }
  const present = new Set(views.map(({ number }) => number));
  for (const [number, { row }] of rows) {
    if (present.has(number)) continue;
    row.remove();
    rows.delete(number);
  }
  if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
  showSummary();
  showMerging(merging);
  applyFilter();
}

function showSummary() {
  const figures = {
    total: views.length,
    online_count: views.filter(({ status }) => status === "online").length,
    need: views.filter(needsSomebody).length,
    waiting: views.reduce((sum, { backlog }) => sum + backlog.in + backlog.out, 0),
  };
  for (const [id, figure] of Object.entries(figures)) {
    put(element(id).lastElementChild, figure.toLocaleString(lang));
    element(id).classList.toggle("some", figure > 0);
  }
  document.title = (figures.need ? `(${figures.need}) ` : "") + words.title;
}

function showMerging(merging) {
  const bytes = views.reduce((sum, { merged }) => sum + (merged ?? 0), 0);
  const place = element("merged").lastElementChild;
  put(place, merging === "on" ? memory(bytes) : words[`merging_${merging}`]);
  place.title = words[`merging_${merging}_how`] ?? "";
}

function applyFilter() {
  const terms = element("filter").value.toLowerCase().replaceAll("+", "").split(/\s+/);
  let count = 0;
  for (const { number, client, state } of views) {
    const text = `${number} ${client} ${state} ${word("state", state)}`.toLowerCase();
    const isMeant = terms.every((term) => text.includes(term));
    rows.get(number).row.hidden = !isMeant;
    count += isMeant;
  }
  tell(element("none"), count ? "" : views.length ? words.none_match : words.none);
}

// The details of one number

function openDetails(number) {
  opened = number;
  limit = PAGE;
  element("which").value = "";
  element("danger").open = false;
  element("purge").reset();
  element("purge").querySelector("button").disabled = true;
  hideHandouts(element("details"));
  for (const id of ["messages", "receipts", "audit"]) {
    shown.delete(element(id));
    element(id).tBodies[0].replaceChildren();
  }
  tell(element("said"), "");
  showView(views.find((view) => view.number === number));
  element("details").showModal();
  element("details-title").focus();
  soon();
}

async function lookInside(bearer) {
  const number = opened;
  if (!number) return;
  const path = `numbers/${number}`;
  const query = new URLSearchParams({ limit });
  if (element("which").value) query.set("state", element("which").value);
  const answers = await Promise.all([
    ask("GET", path),
    ask("GET", `${path}/messages?${query}`),
    ask("GET", `${path}/receipts`),
    ask("GET", `audit?number=${number}&limit=${PAGE}`),
  ]);
  if (number !== opened || bearer !== key()) return;
  const [view, { messages }, { receipts }, { entries }] = answers;
  showView(view);
  showTable("messages", messages, messageCells);
  element("more").hidden = messages.length < limit || limit >= MOST;
  showTable("receipts", receipts, (one) => [time(one.began), one.found, one.delivered, one.missing, one.detail]);
  showTable("audit", entries, (one) => [time(one.at), word("who", one.who.replace(" ", "_")), word("did", one.action), one.detail]);
}

function showView(view) {
  const isStopped = view.state === "stopped";
  put(element("details-title"), `+${view.number}`);
  put(element("details-client"), view.client);
  putBadge(element("details-state"), view.state);
  putTrouble(element("details-trouble"), view);
  element("details").classList.toggle("attention", Boolean(needsSomebody(view)));
  const facts = {
    since: time(view.since),
    last_heard: age(view.last_heard),
    backlog: `${view.backlog.in} / ${view.backlog.out}`,
    restarts: view.restarts,
    pid: view.worker?.pid ?? "–",
    uptime: view.worker ? duration(view.worker.uptime) : "–",
    memory: memory(view.worker?.memory),
    merged: memory(view.merged),
    ...(view.proxy && { proxy: `${view.proxy.kind} ${view.proxy.host}:${view.proxy.port}` }),
  };
  renderOnce(element("facts"), facts, () =>
    element("facts").replaceChildren(
      ...Object.entries(facts).map(([name, fact]) => make("div", "", make("dt", "", words[name]), make("dd", "", String(fact)))),
    ),
  );
  element("restart").hidden = isStopped;
  element("stop").hidden = isStopped;
  element("start").hidden = !isStopped;
  element("login_link").hidden = isStopped || view.status === "online";
}

function showTable(id, items, cellsOf) {
  const table = element(id);
  const labels = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  renderOnce(table, items, () => {
    const made = items.map((item) => make("tr", "", ...cellsOf(item).map((cell) => make("td", "", cell?.nodeType ? cell : String(cell ?? "")))));
    for (const row of made) labels.forEach((label, at) => (row.cells[at].dataset.label = label));
    table.tBodies[0].replaceChildren(...made);
    table.hidden = items.length === 0;
    table.nextElementSibling.hidden = items.length > 0;
  });
}

function messageCells(message) {
  const text = make("div", "text", message.is_echo && make("em", "", `${words.own_device}: `), message.text ?? words.erased);
  for (const file of message.files) text.append(make("span", "file", file));
  return [time(message.created), word("way", message.direction), text, makeOutcome(message)];
}

function makeOutcome({ id, state, status, error, is_uncertain: isUncertain, next_try: nextTry }) {
  const level = { pending: "wait", delivered: "good", dead: "act" }[state];
  const outcome = make("div", "outcome", make("span", `badge ${level}`, word("row", state)));
  if (status) outcome.append(make("span", "soft", word("status", status)));
  if (error) outcome.append(make("span", "why", `${error.text} (${[error.code, error.detail].filter(Boolean).join(": ")})`));
  if (isUncertain) outcome.append(make("span", "why", words.uncertain));
  if (state === "pending" && nextTry) outcome.append(make("span", "soft", fill(words.next_try, { time: time(nextTry) })));
  if (state === "dead") outcome.append(makeButton(words.replay, () => replay(`messages/${id}/replay`)));
  return outcome;
}

// Actions

async function carryOut(button, action) {
  const number = opened;
  const told = (text, isBad) => number === opened && tell(element("said"), text, isBad);
  button.disabled = true;
  told("");
  try {
    told((await action()) ?? words.done);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    told(fill(words.refused, { reason: error.message }), true);
  } finally {
    button.disabled = false;
    if (number && number === opened) element("details-title").focus({ preventScroll: true }); // the button may disappear
    soon();
  }
}

async function replay(path) {
  const { replayed } = await ask("POST", `numbers/${opened}/${path}`);
  return fill(words.replayed, { count: replayed });
}

const nameOpened = () => ({ name: views.find(({ number }) => number === opened).client, number: opened });
const startAgain = async () => void (await ask("PUT", "webhook", { number: opened }));
const restart = async () => void (await ask("POST", `numbers/${opened}/restart`));

async function stop() {
  if (!confirm(fill(words.stop_sure, { number: `+${opened}` }))) return "";
  await ask("DELETE", "webhook", nameOpened());
}

async function makeLink() {
  const number = opened;
  const { url, expires_at: until } = await ask("POST", `numbers/${number}/login/link`);
  if (number === opened) handOut("link", url);
  return fill(words.link_until, { time: time(until) });
}

async function purge() {
  await ask("DELETE", "webhook", { ...nameOpened(), purge: true });
  element("details").close();
}

async function addNumber() {
  const fields = Object.fromEntries([...new FormData(element("draft"))].filter(([, value]) => value.trim()));
  const complaint = element("draft").querySelector(".complaint");
  tell(complaint, "");
  try {
    const made = await ask("POST", "webhook", fields);
    handOut("token", made.token);
    handOut("login-url", made.login_url);
    tell(element("added").querySelector(".said"), `${fill(words.added, { number: `+${made.number}` })} ${word("state", made.state)}`);
    element("draft").hidden = true;
    element("added").hidden = false;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    tell(complaint, fill(words.refused, { reason: error.message }), true);
  }
  soon();
}

function handOut(id, value) {
  element(id).hidden = !value;
  element(id).querySelector("input").value = value ?? "";
}

function hideHandouts(dialog) {
  for (const { id } of dialog.querySelectorAll(".handout")) handOut(id, null);
}

async function copy({ currentTarget: button }) {
  const input = button.parentElement.querySelector("input");
  input.select();
  try {
    await navigator.clipboard.writeText(input.value);
    put(button, words.copied);
    setTimeout(() => put(button, words.copy_it), PAUSE);
  } catch {
    // Only https pages may use the clipboard; the text stays selected, so it can be copied by hand.
  }
}

// Updating

async function look() {
  const bearer = key();
  try {
    const answer = await ask("GET", "numbers");
    if (bearer !== key()) return;
    showList(answer);
    await lookInside(bearer);
    if (bearer === key()) tellFresh();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (bearer === key()) tellTrouble(error);
  }
}

function tellFresh() {
  lastLook = new Date();
  put(element("updated"), fill(words.updated, { time: clock(lastLook) }));
  tellStale("");
}

function tellTrouble(error) {
  if (error.status === 401) return signOut(words.wrong_key);
  if (error.status === 404) return element("details").close();
  tellStale([told(error), lastLook && fill(words.stale, { time: clock(lastLook) })].filter(Boolean).join(" "));
}

const told = (error) => (error.code === "standing_by" ? `${words.standing_by} ${error.message}` : error.message);

function tellStale(text) {
  for (const place of document.querySelectorAll(".stale-note")) tell(place, text);
  document.body.classList.toggle("stale", Boolean(text));
}

function soon() {
  isHurried = true;
  wake();
}

async function rest() {
  if (!isHurried) {
    await new Promise((resolve) => {
      wake = resolve;
      setTimeout(resolve, PAUSE);
    });
  }
  isHurried = false;
}

async function follow() {
  for (;;) {
    if (key() && !document.hidden) await look().catch(reportError);
    await rest();
  }
}

// The key

async function signIn() {
  const bearer = element("gate").elements.key.value.trim();
  const complaint = element("gate").querySelector(".complaint");
  try {
    if (!/^[\x21-\x7e]+$/.test(bearer)) throw new Refused(401);
    await ask("GET", "numbers", undefined, bearer);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return tell(complaint, error.status === 401 ? words.wrong_key : told(error), true);
  }
  sessionStorage.setItem(KEY, bearer);
  element("gate").reset();
  tell(complaint, "");
  showBoard();
  soon();
}

function signOut(why = "") {
  sessionStorage.removeItem(KEY);
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  showList({ numbers: [], merging: "off" });
  tellStale("");
  lastLook = null;
  showBoard();
  tell(element("gate").querySelector(".complaint"), why, true);
}

function showBoard() {
  element("gate").hidden = Boolean(key());
  element("board").hidden = !key();
  if (!key()) element("gate").elements.key.focus();
}

function onSubmit(id, action) {
  element(id).addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = event.target.querySelector("button");
    button.disabled = true;
    await action(button).finally(() => (button.disabled = false));
  });
}

function begin() {
  const actions = { restart, start: startAgain, stop, login_link: makeLink, "replay-all": () => replay("replay") };
  for (const [id, action] of Object.entries(actions)) {
    element(id).addEventListener("click", () => carryOut(element(id), action));
  }
  onSubmit("gate", signIn);
  onSubmit("draft", addNumber);
  onSubmit("purge", (button) => carryOut(button, purge));
  element("purge").addEventListener("input", () => {
    const typed = element("purge").elements.number.value.replace(/[\s+]/g, "");
    element("purge").querySelector("button").disabled = typed !== opened;
  });
  element("filter").addEventListener("input", applyFilter);
  element("which").addEventListener("change", soon);
  element("more").addEventListener("click", () => {
    limit = Math.min(limit + PAGE, MOST);
    soon();
  });
  element("sign-out").addEventListener("click", () => signOut());
  element("add").addEventListener("click", () => element("adding").showModal());
  element("details").addEventListener("close", () => (opened = null));
  element("adding").addEventListener("cancel", (event) => element("added").hidden || event.preventDefault());
  element("adding").addEventListener("close", () => {
    element("draft").reset();
    element("draft").hidden = false;
    element("added").hidden = true;
    hideHandouts(element("adding"));
  });
  for (const button of document.querySelectorAll(".close")) {
    button.addEventListener("click", () => button.closest("dialog").close());
  }
  for (const button of document.querySelectorAll(".handout button")) button.addEventListener("click", copy);
  document.addEventListener("visibilitychange", () => document.hidden || soon());
  showBoard();
  follow();
}

begin();
