// The left side: a person's phone, and the number's own phone as its second device.

import { ask, readFiles } from "./http.js";
import { clock, renderLines, size } from "./lines.js";
import { openAddress } from "./mini_app.js";
import { element, filled, make, onClick, onSubmit, refresh, renderChoices, renderOnce, watch } from "./page.js";

// The chosen chat: `me` looks at it, `number` is the one of the two that the gateway runs.
export const chat = { me: null, partner: null, number: null, person: null, open: 0, messages: [] };
let draft = null; // the message that is being edited, or replied to

const nameOf = ({ first_name, last_name }) => [first_name, last_name].filter(Boolean).join(" ");
const keyOf = ({ phone, username, bot }) => (bot ? username : phone);
export const labelOf = (account) => `${nameOf(account)} ${account.bot ? "@" : "+"}${keyOf(account)}`;

async function showPeople() {
  const accounts = await ask("GET", "/telegram/accounts");
  const people = accounts.filter(({ bot }) => !bot);
  renderChoices("person", people.map((person) => [person.phone, labelOf(person)]));
  const me = people.find(({ phone }) => phone === element("person").value);
  const others = [...people, ...accounts.filter(({ bot }) => bot)].filter((each) => each !== me);
  renderChoices("partner", others.map((each) => [keyOf(each), labelOf(each)]));
  const partner = others.find((each) => keyOf(each) === element("partner").value);
  Object.assign(chat, { me, partner });
  await findNumber();
}

// The one of the two who has a client is run by the gateway; that is the partner, unless one plays the number.
async function findNumber() {
  const [partner, me] = await Promise.all([countOf(chat.partner), countOf(chat.me)]);
  const isMine = !partner.peak_per_key && me.peak_per_key > 0;
  chat.number = (isMine ? me : partner).peak_per_key ? (isMine ? chat.me : chat.partner) : null;
  chat.person = chat.number && chat.number === chat.me ? chat.partner : chat.me;
  const { open } = isMine ? me : partner;
  chat.open = open;
  renderOnce("line-state", [chat.number && labelOf(chat.number), open > 0], (place) => {
    place.hidden = !chat.number;
    place.className = open ? "state good" : "state bad";
    place.textContent = chat.number ? `${nameOf(chat.number)}: ${open ? "the gateway is connected" : "no connection of the gateway"}` : "";
  });
}

async function countOf(account) {
  if (!account) return { open: 0, peak_per_key: 0 };
  return ask("GET", `/telegram/connections?${new URLSearchParams({ phone: keyOf(account) })}`);
}

async function showChat() {
  const { me, partner } = chat;
  for (const button of element("telegram").querySelectorAll("[data-chat]")) button.disabled = !me || !partner;
  if (!me || !partner) return renderLines("telegram-lines", [], "Add two people, and then write from one to the other.");
  showWriters();
  const query = new URLSearchParams({ of: me.phone, with: keyOf(partner) });
  chat.messages = await ask("GET", `/telegram/messages?${query}`);
  const texts = new Map(chat.messages.map(({ id, text }) => [id, text || "a file"]));
  const lines = chat.messages.map((message) => ({ ...describe(message), quote: texts.get(message.reply_to) ?? "" }));
  renderLines("telegram-lines", lines, "No messages between these two yet.", { press, actions });
}

function describe({ out, text, file, date, buttons, contact, id }) {
  const url = `/telegram/file?${new URLSearchParams({ of: chat.me.phone, id })}`;
  return {
    id,
    buttons,
    mine: out,
    text: contact ? `${contact.name} +${contact.phone}` : text ?? "",
    files: file ? [{ name: file.name || "voice.ogg", url, about: size(file.size) }] : [],
    note: clock(date),
  };
}

function actions(line) {
  const act = [["Reply", () => begin("reply", line)]];
  if (line.mine) act.push(["Edit", () => begin("edit", line)]);
  else act.push(["React 👍", () => ask("POST", "/telegram/reactions", { by: chat.me.phone, id: line.id, emoji: "👍" })]);
  act.push(["Delete", () => ask("DELETE", "/telegram/messages", { of: chat.me.phone, id: line.id })]);
  return act;
}

function begin(kind, { id, text }) {
  draft = { kind, id };
  const field = element("telegram-form").elements.text;
  if (kind === "edit") field.value = text;
  element("writer").value = "me";
  element("draft-words").textContent = `${kind === "edit" ? "Editing" : "Replying to"}: ${text || "a file"}`;
  element("draft").hidden = false;
  field.focus();
}

function endDraft() {
  draft = null;
  element("draft").hidden = true;
}

function showWriters() {
  const device = chat.partner === chat.number ? " on a second device" : "";
  const choices = [["me", `as ${nameOf(chat.me)}`]];
  if (!chat.partner.bot) choices.push(["partner", `as ${nameOf(chat.partner)}${device}`]);
  renderChoices("writer", choices);
}

const writers = () => (element("writer").value === "partner" ? [chat.partner, chat.me] : [chat.me, chat.partner]);

export async function write(from, to, text, more = {}) {
  await ask("POST", "/telegram/messages", { from: keyOf(from), to: keyOf(to), text, ...more });
}

async function send(form) {
  const text = form.elements.text.value;
  if (draft?.kind === "edit") {
    await ask("PATCH", "/telegram/messages", { of: chat.me.phone, id: draft.id, text });
  } else {
    const files = await readFiles(form.elements.files);
    const more = files.length ? { files } : {};
    if (draft) more.reply_to = draft.id;
    await showPeople(); // the lists may have been changed while a round was on its way
    await write(...writers(), text, more);
  }
  endDraft();
}

// What a bot answers is shown to the person who pressed; a Mini App opens in a frame, an address beside this page.
async function press(message_id, button) {
  const order = { by: chat.me.phone, chat_with: keyOf(chat.partner), message_id, button };
  const { answer, url } = await ask("POST", "/telegram/press", order);
  if (url) openAddress(url);
  return answer;
}

const reading = () => ({ by: chat.me.phone, chat_with: keyOf(chat.partner) });

async function read() {
  await ask("POST", "/telegram/read", reading());
  return `${nameOf(chat.me)} has read the chat.`;
}

async function type() {
  await ask("POST", "/telegram/typing", reading());
  return `${nameOf(chat.partner)} sees that ${nameOf(chat.me)} is typing.`;
}

async function addPerson(form) {
  await ask("POST", "/telegram/accounts", filled(form));
  element("new-person").hidden = true;
}

function toggle(id) {
  element(id).hidden = !element(id).hidden;
  if (!element(id).hidden) element(id).querySelector("input, select, button").focus();
}

async function showCodes() {
  if (element("scan").hidden) return;
  const codes = await ask("GET", "/telegram/qr");
  element("scan-hint").textContent = codes.length
    ? "A client shows a QR code now."
    : "No client shows a QR code now: open a number's login page and choose the QR code.";
  renderChoices("scan-who", [chat.number, chat.person].filter((each) => each && !each.bot).map((each) => [each.phone, labelOf(each)]));
  const account = [chat.number, chat.person].find((each) => each?.phone === element("scan-who").value);
  element("login-code").replaceChildren("Its login code: ", make("b", "", account?.code ?? ""));
}

async function scan(form) {
  const codes = await ask("GET", "/telegram/qr");
  const url = form.elements.url.value || codes.at(-1)?.url;
  if (!url) throw new Error("There is no QR code to scan: open a number's login page first.");
  await ask("POST", "/telegram/qr", { phone: element("scan-who").value, url });
  return "Scanned: the client is logged in, unless it asks for a password now.";
}

watch(showPeople, showChat, showCodes);
onSubmit("telegram-form", send);
onSubmit("new-person", addPerson);
onSubmit("scan", scan);
onClick("new-person-open", () => toggle("new-person"));
onClick("scan-open", () => toggle("scan"));
onClick("read", read);
onClick("type", type);
onClick("draft-end", () => {
  element("telegram-form").reset();
  endDraft();
});
for (const id of ["person", "partner"]) {
  element(id).addEventListener("change", () => {
    endDraft();
    refresh();
  });
}
