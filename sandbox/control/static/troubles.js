// Faults of Telegram, of Planfix and of the number's process, each with a button that ends it.

import { ask } from "./http.js";
import { element, make, makeButton, onClick, renderOnce, watch } from "./page.js";
import { desk } from "./planfix.js";
import { chat } from "./telegram.js";

const PLANFIX = {
  down: ["Down", "is down", {}],
  slow: ["Slow", "answers after 3 s", { seconds: 3 }],
  error: ["Error 500", "answers with error 500", {}],
  refuse: ["Refuse (400)", "refuses everything with 400", {}],
  unauthorized: ["Reject the key (401)", "rejects the key with 401", {}],
  lost_answer: ["Lose the answers", "does as told, but its answers are lost", {}],
};
const TELEGRAM = {
  cut: ["Cut for 15 s", "refuses connections", { seconds: 15 }],
  blackhole: ["Blackhole", "answers nothing", {}],
  deaf: ["No updates", "sends no updates", {}],
  slow: ["Slow", "answers after 3 s", { seconds: 3 }],
  revoke: ["End the login", "", {}],
  duplicate: ["Login used twice", "", {}],
  ban: ["Ban", "has banned the account", {}],
};
const FLOOD = { error: "FLOOD_WAIT_20", method: "messages.sendMessage", times: 1 };
const SIGNALS = { kill: "Kill", freeze: "Freeze", thaw: "Thaw" };

export const beginPlanfix = async (mode) => ask("POST", `/planfix/${desk.account.account}/faults`, { mode, ...PLANFIX[mode][2] });
export const endPlanfix = async () => ask("DELETE", `/planfix/${desk.account.account}/faults`);
const nameOfNumber = () => chat.number?.phone ?? chat.number?.username;

export async function beginTelegram(kind, more = TELEGRAM[kind][2]) {
  await ask("POST", "/telegram/faults", { kind, phone: nameOfNumber(), ...more });
}

export async function signal(what) {
  await ask("POST", "/telegram/process", { phone: nameOfNumber(), do: what });
}

async function flood() {
  await ask("POST", "/telegram/faults", { ...FLOOD, phone: nameOfNumber() });
}

const words = {
  kill: "The number's process was killed. The gateway starts it again.",
  freeze: "The number's process stands still. The gateway notices that and replaces it, or press Thaw.",
  thaw: "The number's process runs on.",
};

function needNumber(action) {
  if (!chat.number) throw new Error("Choose a chat with a number of the gateway first.");
  return action();
}

function offer() {
  const telegram = Object.entries(TELEGRAM).map(([kind, [label]]) => makeButton(label, () => needNumber(() => beginTelegram(kind))));
  element("telegram-faults").append(...telegram, makeButton("Flood wait for the next message", () => needNumber(flood)));
  const signals = Object.entries(SIGNALS).map(([what, label]) =>
    makeButton(label, () => needNumber(async () => {
      await signal(what);
      return words[what];
    })));
  element("process-signals").append(...signals);
  const planfix = Object.entries(PLANFIX).map(([mode, [label]]) => makeButton(label, () => beginPlanfix(mode)));
  element("planfix-faults").append(...planfix);
}

async function showTelegramFaults() {
  const faults = await ask("GET", "/telegram/faults");
  const told = faults.map(({ kind, error, phone }) => {
    const what = kind ? TELEGRAM[kind]?.[1] || kind : `answers ${error} next`;
    return `Telegram ${what}${phone ? ` (+${phone})` : ""}`;
  });
  showStrip("telegram-active", told);
}

function showPlanfixFaults() {
  const faults = desk.account?.faults ?? [];
  showStrip("planfix-active", faults.map(({ mode }) => `Planfix ${desk.account.account} ${PLANFIX[mode]?.[1] ?? mode}`));
}

function showStrip(id, told) {
  renderOnce(id, told, (strip) => {
    strip.hidden = !told.length;
    strip.querySelector("span").replaceChildren(make("b", "", told.join("; ")));
  });
}

offer();
watch(showTelegramFaults, showPlanfixFaults);
onClick("telegram-end", () => ask("DELETE", "/telegram/faults"));
onClick("planfix-end", endPlanfix);
