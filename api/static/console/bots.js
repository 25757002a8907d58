// The bots: their states, who registered with each, the outcomes of their messages, and the templates of their texts.

import { element, facts, forget, handout, make, put, renderOnce, table, tell } from "./elements.js";
import { Refused, ask } from "./gateway.js";
import { messagesPanel } from "./messages.js";
import { putTrouble, stateBadge } from "./state.js";
import { fill, heard, memory, pair, time, words } from "./words.js";

const CUSTOMARY = ["task.created", "task.assigned", "comment.added", "status.changed", "due.soon", "event.created", "ticket.purchased"];

let opened = null; // the bot whose page is shown
let isShown = false;

export function openBots(bot) {
  isShown = true;
  if (bot === opened) return;
  opened = bot ?? null;
  for (const id of ["bot", "panel-bot"]) {
    forget(element(id));
    element(id).replaceChildren();
  }
}

export function closeBots() {
  isShown = false;
}

export async function lookAtBots(carryOut) {
  if (!isShown) return;
  const bot = opened;
  const [{ bots }, people, messages] = await Promise.all([
    ask("GET", "bots"),
    bot && ask("GET", `bots/${bot}/people`),
    bot && messagesPanel(element("panel-bot"), bot, carryOut),
  ]);
  if (!isShown || bot !== opened) return;
  showBots(bots);
  const view = bots.find((each) => each.bot === bot);
  if (view) showBot(view, people.people, carryOut);
  messages?.();
}

function showBots(bots) {
  renderOnce(element("bots-list"), [bots, opened], () => element("bots-list").replaceChildren(table(words.bots, [words.bot, words.client, words.state, words.trouble, words.backlog, words.dead], bots.map(rowOf), words.no_bots)));
}

function rowOf(view) {
  const trouble = make("div", { className: "trouble" });
  putTrouble(trouble, view);
  const link = make("a", { className: "open", href: `#/bots/${view.bot}` }, `@${view.username}`);
  return [link, view.client, stateBadge(view), trouble, pair(view.backlog), pair(view.dead)];
}

function showBot(view, people, carryOut) {
  renderOnce(element("bot"), [view, people], () => {
    const said = make("p", { className: "said", role: "status", hidden: true });
    const buttons = [["restart", "POST", "/restart"], ["stop", "DELETE", ""]].map(([name, method, path]) => {
      const button = make("button", { type: "button" }, words[name]);
      button.addEventListener("click", () => carryOut(button, async () => void (await ask(method, `bots/${view.bot}${path}`)), said));
      return button;
    });
    const columns = [words.person, words.phone, words.language, words.alias, words.told];
    const rows = people.map((one) => [
      [one.name, one.username && `@${one.username}`, one.user_id].filter(Boolean).join(", "),
      one.phone ? `+${one.phone}` : "–",
      one.language,
      one.alias ?? "",
      one.muted ? words.muted : words.yes,
    ]);
    element("bot").replaceChildren(
      make("h2", {}, `@${view.username}`),
      make("p", { className: "row" }, buttons),
      said,
      facts([[words.since, time(view.since)], [words.last_heard, heard(view)], [words.restarts, view.restarts], [words.memory, memory(view.worker?.memory)]]),
      make("h3", {}, words.people),
      table(words.people, columns, rows, words.no_people),
      make("h3", {}, words.messages),
    );
  });
}

async function addBot(form) {
  const fields = Object.fromEntries([...new FormData(form)].filter(([, value]) => value.trim()));
  const made = await ask("POST", "bots", fields);
  form.reset();
  element("bot-added").replaceChildren(handout(words.bot_key, made.key, words));
  return fill(words.added, { number: `@${made.username}` });
}

const templateQuery = (form) => (form.elements.language.value ? `?language=${form.elements.language.value}` : "");

async function loadTemplate(form) {
  const { text, format } = await ask("GET", `templates/${form.elements.name.value.trim()}${templateQuery(form)}`);
  form.elements.text.value = text;
  form.elements.format.value = format;
  return "";
}

async function saveTemplate(form) {
  const { name, text, format, language } = form.elements;
  await ask("PUT", `templates/${name.value.trim()}`, { text: text.value, format: format.value, language: language.value });
  return words.template_saved;
}

async function previewTemplate(form) {
  const { text, format, data } = form.elements;
  const shown = await ask("POST", "notify/preview", { text: text.value, format: format.value, data: JSON.parse(data.value || "{}") });
  put(element("template-preview"), shown.text);
  element("template-preview").hidden = false;
  return "";
}

export function beginBots(carryOut) {
  const adding = element("bot-draft");
  adding.addEventListener("submit", (event) => {
    event.preventDefault();
    carryOut(adding.querySelector("button"), () => addBot(adding), element("bot-said"));
  });
  const template = element("template");
  template.elements.name.setAttribute("list", "template-names");
  template.append(make("datalist", { id: "template-names" }, CUSTOMARY.map((value) => make("option", { value }))));
  const actions = { load: loadTemplate, save: saveTemplate, preview: previewTemplate };
  for (const [name, action] of Object.entries(actions)) {
    const button = element(`template-${name === "preview" ? "try" : name}`);
    button.addEventListener("click", () => carryOut(button, () => guarded(action, template), element("template-said")));
  }
  template.addEventListener("submit", (event) => event.preventDefault());
  tell(element("template-said"), "");
}

/** What was typed as data may not be JSON. */
async function guarded(action, form) {
  try {
    return await action(form);
  } catch (error) {
    if (error instanceof SyntaxError) throw new Refused(0, "invalid", words.data_malformed);
    throw error;
  }
}
