// The journal of one number: search, dead letters, and the whole path of one message.

import { make, renderOnce } from "./elements.js";
import { ask } from "./gateway.js";
import { badge } from "./state.js";
import { exact, fill, time, word, words } from "./words.js";

const PAGE = 50; // messages shown at first, and added by each "Show more"
const MOST = 500;
const STATIONS = ["received", "stored", "sent", "delivered", "read", "replayed", "dismissed"];
const LEVELS = { pending: "wait", delivered: "good", dead: "act", dismissed: "off" };

const wanted = { number: null, limit: PAGE, state: "", direction: "", search: "", path: null };

export async function messagesPanel(place, number, carryOut) {
  if (wanted.number !== number) Object.assign(wanted, { number, limit: PAGE, state: "", direction: "", search: "", path: null });
  const query = new URLSearchParams({ limit: wanted.limit });
  for (const name of ["state", "direction", "search"]) if (wanted[name]) query.set(name, wanted[name]);
  const [{ messages }, path] = await Promise.all([
    ask("GET", `numbers/${number}/messages?${query}`),
    wanted.path && ask("GET", `numbers/${number}/messages/${wanted.path}`),
  ]);
  return () => {
    if (!place.querySelector("#messages")) place.replaceChildren(filters(), make("div", { id: "messages-list" }));
    const list = place.querySelector("#messages-list");
    renderOnce(list, [messages, path], () => list.replaceChildren(...listOf(messages, path, carryOut)));
  };
}

const look = () => document.dispatchEvent(new Event("looked-for"));

function filters() {
  const option = (name, value, text) => make("option", { value, selected: wanted[name] === value }, text);
  const choice = (id, name, label, values) =>
    make("label", {}, label, " ", make("select", { id, onchange: ({ target }) => ((wanted[name] = target.value), look()) }, values));
  return make(
    "div",
    { className: "row", id: "messages-filters" },
    choice("which", "state", words.which, [option("state", "", words.all), ...["dead", "pending", "delivered", "dismissed"].map((each) => option("state", each, words[`row_${each}`]))]),
    choice("direction", "direction", words.direction, [option("direction", "", words.all), ...["in", "out"].map((each) => option("direction", each, words[`way_${each}`]))]),
    make("input", { type: "search", ariaLabel: words.search, placeholder: words.search, value: wanted.search, onchange: ({ target }) => ((wanted.search = target.value.trim()), look()) }),
  );
}

function listOf(messages, path, carryOut) {
  const more = messages.length >= wanted.limit && wanted.limit < MOST;
  const columns = [words.time, words.direction, words.text, words.outcome];
  const rows = messages.flatMap((message) => {
    const row = make("tr", {}, cellsOf(message, carryOut).map((cell, at) => make("td", { "data-label": columns[at] }, cell)));
    const isOpen = path && String(path.id) === String(message.id);
    return isOpen ? [row, make("tr", {}, make("td", { colSpan: 4 }, pathOf(path)))] : [row];
  });
  const head = make("thead", {}, make("tr", {}, columns.map((name) => make("th", { scope: "col" }, name))));
  return [
    make("table", { id: "messages", ariaLabel: words.messages, hidden: !rows.length }, head, make("tbody", {}, rows)),
    !rows.length && make("p", { className: "soft" }, words.no_messages),
    more && make("button", { type: "button", onclick: () => ((wanted.limit = Math.min(wanted.limit + PAGE, MOST)), look()) }, words.more),
  ].filter(Boolean);
}

function cellsOf(message, carryOut) {
  const text = make("div", { className: "text" }, message.is_echo && make("em", {}, `${words.own_device}: `), message.text ?? words.erased);
  for (const file of message.files ?? []) text.append(make("span", { className: "file" }, file));
  const who = make("div", {}, word("way", message.direction), make("div", { className: "soft" }, message.contact || message.chat_id));
  return [time(message.created), who, text, outcomeOf(message, carryOut)];
}

function outcomeOf(message, carryOut) {
  const { id, state, status, error, is_uncertain: isUncertain, next_try: nextTry } = message;
  const outcome = make("div", { className: "outcome" }, badge(LEVELS[state] ?? "off", word("row", state)));
  if (status) outcome.append(make("span", { className: "soft" }, word("status", status)));
  if (error) outcome.append(make("span", { className: "why" }, `${error.text} (${[error.code, error.detail].filter(Boolean).join(": ")})`));
  if (isUncertain) outcome.append(make("span", { className: "why" }, words.uncertain));
  if (state === "pending" && nextTry) outcome.append(make("span", { className: "soft" }, fill(words.next_try, { time: time(nextTry) })));
  if (state === "dead") {
    outcome.append(action(words.replay, () => replay(id), carryOut), action(words.dismiss, () => dismiss(id), carryOut));
  }
  const isOpen = String(wanted.path) === String(id);
  outcome.append(make("button", { type: "button", className: "open", ariaExpanded: String(isOpen), onclick: () => ((wanted.path = isOpen ? null : id), look()) }, words.path));
  return outcome;
}

function action(label, run, carryOut) {
  const button = make("button", { type: "button", onclick: () => carryOut(button, run) }, label);
  return button;
}

async function replay(id) {
  const { replayed } = await ask("POST", `numbers/${wanted.number}/messages/${id}/replay`);
  return fill(words.replayed, { count: replayed });
}

async function dismiss(id) {
  await ask("DELETE", `numbers/${wanted.number}/messages/${id}`);
  return words.dismissed;
}

/** Each station of one message, with the ids on both sides. */
function pathOf(path) {
  const stations = STATIONS.filter((name) => path[name]).map((name) => ({ at: path[name], what: words[`step_${name}`] }));
  const tries = path.tries.map((one) => ({ at: one.last, what: `${words.step_failed}: ${one.text}`, detail: fill(words.times, { count: one.times }) }));
  const steps = [...stations, ...tries].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const [began, ended] = [path.received ?? path.stored, path.delivered ?? path.sent];
  const took = began && ended && `${words.took} ${exact.format(Math.max(0, Date.parse(ended) - Date.parse(began)) / 1000)}`;
  const ids = [
    [words.id_chat, path.chat_id],
    [words.id_message_id, path.message_id],
    [words.id_telegram_ids, path.telegram_ids.join(", ")],
  ];
  return make(
    "div",
    { className: "path" },
    make("ol", {}, steps.map(({ at, what, detail }) => make("li", {}, make("strong", {}, what), ` ${time(at)} `, detail && make("span", { className: "soft" }, detail)))),
    make("p", { className: "soft" }, [took, ...ids.filter(([, id]) => id).map(([name, id]) => `${name}: ${id}`)].filter(Boolean).join(" · ")),
  );
}
