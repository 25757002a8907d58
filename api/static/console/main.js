// Signs in, follows the gateway, and shows the page that the address names.

import { beginBots, closeBots, lookAtBots, openBots } from "./bots.js";
import { element, make, put, tell } from "./elements.js";
import { Refused, ask, dropKey, keep, key, listen } from "./gateway.js";
import { beginNumberPage, carryOut, closeNumber, lookInside, openNumber, openedNumber } from "./number_page.js";
import { beginOverview, showOverview, showTraffic, takeChange, viewOf } from "./overview.js";
import { beginAdding } from "./settings.js";
import { clock, fill, language, words } from "./words.js";

const PAUSE = 15000; // milliseconds between two looks at everything; changes are received in between
const SETTLE = 300; // milliseconds in which changes are collected before the next look
const LANGUAGES = { en: "English", ru: "Русский", uk: "Українська" };

let lastLook = null;
let wake = () => {};
let isHurried = false;

function showAddress() {
  const [, number, tab] = /^#\/numbers\/(\d+)(?:\/(\w+))?$/.exec(location.hash) ?? [];
  const [isBots, bot] = /^#\/bots(?:\/(\d+))?$/.exec(location.hash) ?? [];
  element("overview").hidden = Boolean(number || isBots);
  element("number").hidden = !number;
  element("bots").hidden = !isBots;
  if (isBots) openBots(bot);
  else closeBots();
  if (number) openNumber(number, tab, viewOf(number));
  else closeNumber();
  soon();
}

async function look() {
  const bearer = key();
  try {
    const [answer, traffic] = await Promise.all([ask("GET", "numbers"), element("overview").hidden ? null : ask("GET", "traffic")]);
    if (bearer !== key()) return;
    showOverview(answer);
    if (traffic) showTraffic(traffic);
    await Promise.all([lookInside(), lookAtBots(carryOut)]);
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
  if (error.status === 404 && openedNumber()) return void (location.hash = "#/");
  const since = lastLook && fill(words.stale, { time: clock(lastLook) });
  tellStale([explained(error), since].filter(Boolean).join(" "));
}

const explained = (error) => (error.code === "standing_by" ? `${words.standing_by} ${error.message}` : error.message);

function tellStale(text) {
  tell(document.querySelector(".stale-note"), text);
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

let settling = null;

function hear(event, change) {
  const isKnown = (event === "number" || event === "messages") && takeChange(change);
  if (isKnown && change.number !== openedNumber() && event === "messages") return;
  settling ??= setTimeout(() => {
    settling = null;
    soon();
  }, SETTLE);
}

async function signIn(event) {
  event.preventDefault();
  const gate = element("gate");
  const bearer = gate.elements.key.value.trim();
  const complaint = gate.querySelector(".complaint");
  try {
    if (!/^[\x21-\x7e]+$/.test(bearer)) throw new Refused(401);
    await ask("GET", "numbers", undefined, bearer);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return tell(complaint, error.status === 401 ? words.wrong_key : explained(error), true);
  }
  keep(bearer);
  gate.reset();
  tell(complaint, "");
  showBoard();
  showAddress();
}

function signOut(why = "") {
  dropKey();
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  showOverview({ numbers: [], merging: "off" });
  closeNumber();
  tellStale("");
  lastLook = null;
  showBoard();
  tell(element("gate").querySelector(".complaint"), why, true);
}

function showBoard() {
  element("entry").hidden = Boolean(key());
  element("board").hidden = !key();
  if (!key()) element("gate").elements.key.focus();
}

function begin() {
  const select = element("language");
  select.append(...Object.entries(LANGUAGES).map(([tag, name]) => make("option", { value: tag, lang: tag, selected: tag === language }, name)));
  select.addEventListener("change", () => {
    location.search = `?language=${select.value}`;
  });
  const adding = element("adding");
  beginAdding(element("draft"), element("added"), soon);
  element("add").addEventListener("click", () => adding.showModal());
  adding.addEventListener("cancel", (event) => element("added").hidden || event.preventDefault());
  adding.addEventListener("close", () => {
    element("draft").reset();
    element("draft").hidden = false;
    element("added").hidden = true;
    element("added").querySelector(".handouts").replaceChildren();
  });
  for (const button of document.querySelectorAll("dialog .close")) {
    button.addEventListener("click", () => button.closest("dialog").close());
  }
  element("gate").addEventListener("submit", signIn);
  element("sign-out").addEventListener("click", () => signOut());
  for (const name of ["changed", "looked-for"]) document.addEventListener(name, soon);
  document.addEventListener("visibilitychange", () => document.hidden || soon());
  window.addEventListener("hashchange", showAddress);
  beginOverview(carryOut);
  beginNumberPage();
  beginBots(carryOut);
}

begin();
showBoard();
if (key()) showAddress();
follow();
listen(hear);
