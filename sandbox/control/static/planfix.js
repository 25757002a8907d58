// The right side: a Planfix account and the task of the chat that is chosen on the left.

import { ask, readFiles } from "./http.js";
import { clock, renderLines } from "./lines.js";
import { element, filled, onSubmit, refresh, renderChoices, watch } from "./page.js";
import { chat } from "./telegram.js";

const FIRST = "first"; // the list's entry for a person without a task
const MOST_ACCOUNTS = 12; // whose tasks are searched for that of the chat
const AUTHORS = { owner: "written in Telegram", employee: "employee" };

export const desk = { account: null, thread: null };
let followed = ""; // the chat that the right side shows
let isFollowing = true; // until somebody chooses another task

async function showPlanfix() {
  const accounts = await ask("GET", "/planfix");
  renderChoices("account", accounts.map(({ account }) => [account, account]));
  const threads = await listThreads(accounts);
  follow(threads);
  desk.account = accounts.find(({ account }) => account === element("account").value) ?? null;
  for (const id of ["account", "thread"]) element(id).disabled = !desk.account;
  element("planfix-send").disabled = !desk.account?.webhook_url;
  showConsole();
  if (!desk.account) {
    desk.thread = null;
    return renderLines("planfix-lines", [], "No Planfix account yet: PUT /planfix/{account} makes one.");
  }
  showThread(threads.get(desk.account.account) ?? []);
}

async function listThreads(accounts) {
  const chosen = element("account").value;
  const names = accounts.map(({ account }) => account);
  const asked = names.length > MOST_ACCOUNTS ? names.filter((name) => name === chosen) : names;
  return new Map(await Promise.all(asked.map(async (name) => [name, await ask("GET", `/planfix/${name}/threads`)])));
}

// Chooses the account and the task that belong to the chat, as soon as there are any.
function follow(threads) {
  const key = [chat.number?.phone, chat.person?.user_id].join();
  if (key !== followed) isFollowing = true;
  followed = key;
  if (!isFollowing || !chat.number) return;
  const all = [...threads].flatMap(([account, list]) => list.map((thread) => ({ account, thread })));
  const ofNumber = all.filter(({ thread }) => thread.channel === chat.number.phone);
  const found = ofNumber.find(({ thread }) => thread.telegram_user_id === String(chat.person.user_id));
  const account = (found ?? ofNumber[0])?.account;
  if (account) element("account").value = account;
  renderThreads(threads.get(element("account").value) ?? []);
  element("thread").value = found ? String(found.thread.task) : FIRST;
}

function renderThreads(threads) {
  const choices = threads.map(({ task, task_name }) => [String(task), `#${task} ${task_name}`]);
  renderChoices("thread", [...choices, [FIRST, "Write to someone new"]]);
}

function showThread(threads) {
  renderThreads(threads);
  const thread = threads.find(({ task }) => String(task) === element("thread").value) ?? null;
  desk.thread = thread;
  element("first-recipient").hidden = Boolean(thread?.chat_id);
  element("first-phone").placeholder = chat.person?.phone ?? "380671234567";
  const lines = (thread?.lines ?? []).map((line) => ({
    mine: line.author !== "contact",
    text: line.text,
    files: line.files.map(({ name, url }) => ({ name, url: url && new URL(url).pathname })),
    note: `${AUTHORS[line.author] ?? thread.contact}, ${clock(line.at)}`,
    tick: line.tick,
    reason: line.tick_text,
  }));
  renderLines("planfix-lines", lines, hint());
}

function hint() {
  if (!desk.account.webhook_url) return "This account has no webhook_url, so its employees cannot answer.";
  if (!chat.person || !isFollowing) return "Enter a recipient above and write a message.";
  return `${chat.person.first_name} has no task yet. Write on the left: the message becomes a task here.`;
}

export function consoleAddress() {
  const hook = desk.account?.webhook_url;
  return hook ? `${new URL(hook).origin}/console` : "";
}

function showConsole() {
  const address = consoleAddress();
  element("console").hidden = !address;
  if (address) element("console").href = address;
}

export async function reply(order) {
  const { status, body } = await ask("POST", `/planfix/${desk.account.account}/reply`, order);
  if (status !== 200) throw new Error(`The gateway answered ${status ?? "nothing"}: ${typeof body === "string" ? body : JSON.stringify(body)}`);
}

async function send(form) {
  const order = { text: form.elements.text.value };
  order.files = (await readFiles(form.elements.files)).map(({ name, base64 }) => ({ name, base64 }));
  if (desk.thread?.chat_id) order.chat_id = desk.thread.chat_id;
  else Object.assign(order, recipient());
  await reply(order);
}

function recipient() {
  const entered = filled(element("first-recipient"));
  if (!entered.contact_phone && !entered.telegram_user_name) entered.contact_phone = chat.person?.phone ?? "";
  return entered;
}

watch(showPlanfix);
onSubmit("planfix-form", send);
element("first-recipient").addEventListener("submit", (event) => event.preventDefault());
for (const id of ["account", "thread"]) {
  element(id).addEventListener("change", () => {
    isFollowing = false;
    refresh();
  });
}
