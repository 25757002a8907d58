// What PUT can change, a test of Planfix before and after saving, and what Planfix has to be told.

import { showChats } from "./chats.js";
import { element, forget, handout, make, renderOnce, tell } from "./elements.js";
import { ask } from "./gateway.js";
import { fill, word, words } from "./words.js";

const FIELDS = [
  ["name", "text"],
  ["url_planfix", "url"],
  ["token_planfix", "password"],
  ["provider_id", "text"],
  ["user_email", "email"],
  ["proxy", "password"],
  ["history_since", "date"],
];

const BUDGETS = ["first_contacts_per_day", "growth_per_day", "first_contacts_at_most", "burst", "look_ups_per_day"];

/** `latest` is the number as it is known when the panel is drawn, in full. */
export async function settingsPanel(place, number, latest, carryOut) {
  return () => {
    // What is being typed must survive an update.
    if (!place.querySelector("form")) {
      forget(place);
      place.replaceChildren(editForm(number, latest(), carryOut), make("div", { id: "hand-over" }));
    }
    const card = element("hand-over");
    const provider = latest().provider_id;
    renderOnce(card, provider, () => card.replaceChildren(handOver(number, provider)));
  };
}

function editForm(number, view, carryOut) {
  const said = make("p", { className: "said", role: "status", hidden: true });
  const form = make(
    "form",
    { id: "edit" },
    make("h3", {}, words.edit),
    make("p", { className: "soft" }, words.edit_how),
    FIELDS.map(([name, type]) =>
      make("label", {}, words[`field_${name}`], make("input", { name, type, autocomplete: "off", placeholder: typeof view?.[name] === "string" ? view[name] : "" })),
    ),
    chatsFields(view?.chats),
    budgetFields(view?.governor?.settings),
    said,
  );
  const preview = form.querySelector("#chats-try");
  preview.addEventListener("click", () => carryOut(preview, () => showChats(form.querySelector("#chats-shown"), number, chatsOf(form)), said));
  const save = make("button", { className: "main" }, words.save);
  const test = make("button", { type: "button" }, words.test_planfix);
  test.addEventListener("click", () => carryOut(test, () => testPlanfix(number, form), said));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    carryOut(save, () => change(number, form, view), said);
  });
  form.append(make("div", { className: "row" }, save, test));
  return form;
}

function chatsFields(chats) {
  const mode = chats?.mode ?? "all";
  return make(
    "fieldset",
    {},
    make("legend", {}, words.chats),
    make("label", {}, words.chats_mode, make("select", { name: "chats_mode" }, ["all", "only", "except"].map((each) => make("option", { value: each, selected: each === mode }, words[`chats_${each}`])))),
    make("label", {}, words.chats_people, make("input", { name: "chats_people", value: (chats?.people ?? []).join(", ") })),
    make("label", {}, words.chats_folders, make("input", { name: "chats_folders", value: (chats?.folders ?? []).join(", ") })),
    make("label", { className: "inline" }, make("input", { type: "checkbox", name: "chats_contacts", checked: chats?.contacts === true }), " ", words.chats_contacts),
    make("button", { type: "button", id: "chats-try" }, words.chats_try),
    make("div", { id: "chats-shown", ariaLive: "polite" }),
  );
}

/** The budgets that keep a number from being banned. */
function budgetFields(settings) {
  if (!settings) return null;
  const amount = (name) => make("label", {}, words[`budget_${name}`], make("input", { type: "number", name, min: name === "growth_per_day" ? 0 : 1, value: settings[name] }));
  return make(
    "details",
    {},
    make("summary", {}, words.budgets),
    make("label", { className: "inline" }, make("input", { type: "checkbox", name: "enabled", checked: settings.enabled }), " ", words.budget_enabled),
    BUDGETS.map(amount),
  );
}

function budgetsOf(form, settings) {
  const wanted = { enabled: form.elements.enabled.checked, ...Object.fromEntries(BUDGETS.map((name) => [name, Number(form.elements[name].value || settings[name])])) };
  return Object.fromEntries(Object.entries(wanted).filter(([name, value]) => value !== settings[name]));
}

const values = (form, names) => Object.fromEntries(names.map((name) => [name, form.elements[name].value.trim()]).filter(([, value]) => value));
const list = (text) => text.split(",").map((part) => part.trim()).filter(Boolean);

function chatsOf(form) {
  const { chats_mode: mode, chats_people: people, chats_folders: folders, chats_contacts: contacts } = form.elements;
  return { mode: mode.value, people: list(people.value), folders: list(folders.value), contacts: contacts.checked };
}

async function change(number, form, view) {
  const body = values(form, FIELDS.map(([name]) => name));
  const chats = chatsOf(form);
  const before = { people: [], folders: [], contacts: false, mode: "all", ...view?.chats };
  if (["mode", "people", "folders", "contacts"].some((name) => String(chats[name]) !== String(before[name]))) body.chats = chats;
  const settings = view?.governor?.settings;
  const budgets = settings ? budgetsOf(form, settings) : {};
  if (Object.keys(budgets).length) body.governor = budgets;
  const { state } = await ask("PUT", "webhook", { number, ...body });
  return fill(words.saved, { state: word("state", state) });
}

async function testPlanfix(number, form) {
  const body = values(form, ["url_planfix", "token_planfix", "provider_id"]);
  const { ok, detail } = await ask("POST", `numbers/${number}/planfix/test`, body);
  return `${ok ? words.planfix_ok : words.planfix_bad} ${detail ?? ""}`;
}

/** The values that an administrator types into Planfix, ready to be copied. */
function handOver(number, provider) {
  const card = make("section", { className: "card", ariaLabel: words.hand_over }, make("h3", {}, words.hand_over), make("p", { className: "soft" }, words.hand_over_how));
  card.append(
    handout(words.hand_over_provider, provider, words),
    handout(words.hand_over_url, document.body.dataset.webhookUrl, words),
    make("p", { className: "soft" }, words.hand_over_token),
    handout(words.hand_over_channel, number, words),
  );
  return card;
}

export function beginAdding(form, added, refresh) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button.main");
    const complaint = form.querySelector(".complaint");
    button.disabled = true;
    tell(complaint, "");
    try {
      const fields = Object.fromEntries([...new FormData(form)].filter(([, value]) => value.trim()));
      const made = await ask("POST", "webhook", fields);
      showMade(added, made);
      form.hidden = true;
      added.hidden = false;
    } catch (error) {
      tell(complaint, fill(words.refused, { reason: error.message }), true);
    } finally {
      button.disabled = false;
      refresh();
    }
  });
}

function showMade(added, made) {
  tell(added.querySelector(".said"), `${fill(words.added, { number: `+${made.number}` })} ${word("state", made.state)}`);
  added.querySelector(".handouts").replaceChildren(
    handout(words.token_once, made.token, words),
    ...(made.login_url ? [handout(words.login_url, made.login_url, words)] : []),
    handout(words.hand_over_url, document.body.dataset.webhookUrl, words),
  );
}
