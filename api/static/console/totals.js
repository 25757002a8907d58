// What the numbers add up to: common causes, clients, and the last hour of all.

import { hourChart } from "./charts.js";
import { element, make, renderOnce, table } from "./elements.js";
import { both, figure, fill, pair, words } from "./words.js";

const AT_ONCE = 3; // causes that are shown before somebody asks for the others

/** One line for each cause, however many numbers have it. */
export function showCauses(causes, want) {
  const many = causes.filter(({ numbers }) => numbers.length > 1);
  renderOnce(element("causes"), many, () => {
    const lines = many.map((cause) => lineOf(cause, want));
    const others = lines.splice(AT_ONCE);
    const fold = make("details", {}, make("summary", {}, fill(words.more_causes, { count: figure(others.length) })), make("ul", {}, others));
    element("causes").replaceChildren(make("ul", { ariaLabel: words.causes, hidden: !lines.length }, lines), ...(others.length ? [fold] : []));
  });
}

function lineOf({ attention, numbers, client, message, action }, want) {
  const choose = () => want({ numbers: new Set(numbers) });
  return make(
    "li",
    { className: attention === "needs_somebody" ? "attention" : "" },
    make("button", { type: "button", className: "open", onclick: choose }, fill(words.numbers_count, { count: figure(numbers.length) })),
    make("span", {}, [client, message].filter(Boolean).join(": ")),
    make("strong", {}, action ?? ""),
  );
}

export function showClients(clients, want) {
  element("by-client").hidden = clients.length < 2;
  renderOnce(element("clients"), clients, () => {
    const columns = [words.client, words.total, words.online_count, words.need, words.backlog, words.column_dead];
    const rows = clients.map((each) => [
      make("button", { type: "button", className: "open", onclick: () => want({ client: each.client }) }, each.client),
      figure(each.numbers),
      figure(each.online),
      marked(figure(each.needs_somebody), each.needs_somebody),
      marked(pair(each.backlog), both(each.backlog)),
      marked(pair(each.dead), both(each.dead)),
    ]);
    element("clients").replaceChildren(table(words.by_client, columns, rows, ""));
  });
}

const marked = (text, count) => make("span", { className: count ? "some" : "soft" }, text);

export function showHour(minutes) {
  renderOnce(element("hour"), minutes, () => element("hour").replaceChildren(hourChart(minutes)));
}
