// How a number's state is shown and ranked.

import { make, renderOnce } from "./elements.js";
import { both, word, words } from "./words.js";

const LEVELS = { needs_somebody: "act", mends_itself: "wait", none: "good" };

export function levelOf({ state, attention }) {
  if (state === "stopped") return "off";
  return LEVELS[attention] ?? "wait";
}

export const badge = (level, text) => make("span", { className: `badge ${level}` }, text);
export const stateBadge = (view) => badge(levelOf(view), word("state", view.state));

/** Numbers that need a person come first, then those that recover by themselves. */
export const rank = (view) => ({ act: 0, wait: 1, good: 2, off: 3 })[levelOf(view)];

/** What happened, and who must act, in words; nothing for a number that is well. */
export function putTrouble(place, view) {
  const lines = troubleOf(view);
  renderOnce(place, lines, () =>
    place.replaceChildren(
      ...lines.map(([message, action]) => [message && make("span", { className: "what" }, message), action && make("strong", {}, action)]).flat().filter(Boolean),
    ),
  );
}

function troubleOf(view) {
  const { state, last_error: error, dead } = view;
  const lines = [];
  if (state !== "stopped" && error) lines.push([error.message, error.action]);
  else if (words[`todo_${state}`]) lines.push(["", words[`todo_${state}`]]);
  if (both(dead)) lines.push([`${words.dead}: ${both(dead)}`, words.todo_dead]);
  return lines;
}
