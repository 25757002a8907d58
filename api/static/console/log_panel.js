// The log of a number's process as it is written.

import { make, tell } from "./elements.js";
import { Refused, ask } from "./gateway.js";
import { time, words } from "./words.js";

const PAUSE = 2000; // milliseconds between two looks
const MOST = 500; // lines that the page keeps
const LEVELS = { WARNING: "wait", ERROR: "act", CRITICAL: "act", GATEWAY: "good" };

let following = 0; // counts the panels, because only the newest one follows its log

/** Fills the place and follows the log for as long as `isOpen` says so. */
export async function logPanel(place, number, isOpen) {
  if (place.querySelector("#log")) return null;
  return () => {
    const list = make("ol", { id: "log", ariaLabel: words.tab_log, tabIndex: 0 });
    const none = make("p", { className: "soft" }, words.no_log);
    const said = make("p", { className: "said", role: "status", hidden: true });
    place.replaceChildren(make("p", { className: "soft" }, words.log_how), said, none, list);
    following += 1;
    follow(following, number, isOpen, list, none, said);
  };
}

async function follow(mine, number, isOpen, list, none, said) {
  let seen = null;
  while (mine === following && isOpen()) {
    if (!document.hidden) {
      try {
        const { lines } = await ask("GET", `numbers/${number}/log${seen == null ? "" : `?after=${seen}`}`);
        if (mine !== following) return;
        append(list, lines);
        none.hidden = list.childElementCount > 0;
        seen = lines.at(-1)?.id ?? seen;
        tell(said, "");
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        tell(said, error.message, true);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

function append(list, lines) {
  if (!lines.length) return;
  const isAtEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 8;
  list.append(...lines.map(({ at, level, text }) => make("li", { className: LEVELS[level] ?? "" }, make("time", {}, time(at)), " ", make("span", { className: "level" }, level), " ", text)));
  while (list.childElementCount > MOST) list.firstElementChild.remove();
  if (isAtEnd) list.scrollTop = list.scrollHeight;
}
