// The elements of the page, and the loop that keeps them current.

const POLL = 1000; // milliseconds
const shown = new Map(); // what each part of the page shows now
const parts = []; // what is asked anew in each round, in order
let actionTrouble = ""; // stays until the next action, unlike the trouble of a round
let said = "";

export const element = (id) => document.getElementById(id);

export function make(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

export function makeButton(label, action, className = "quiet") {
  const button = make("button", className, label);
  button.type = "button";
  button.addEventListener("click", () => act(action));
  return button;
}

// Renders only what changed, so that open lists and selections are left in peace.
export function renderOnce(id, value, render) {
  const text = JSON.stringify(value);
  if (shown.get(id) === text) return;
  shown.set(id, text);
  render(element(id), value);
}

export function renderChoices(id, choices) {
  renderOnce(id, choices, (select) => {
    const before = select.value;
    select.replaceChildren(...choices.map(([value, label]) => new Option(label, value)));
    if (choices.some(([value]) => value === before)) select.value = before;
  });
}

export const filled = (form) => Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));

export function watch(...shows) {
  parts.push(...shows);
}

// What an action returns in words is shown to the person who pressed the button.
export async function act(action) {
  try {
    const words = await action();
    said = typeof words === "string" ? words : "";
    actionTrouble = "";
  } catch (error) {
    said = "";
    actionTrouble = error.message;
  }
  await refresh();
}

export function onSubmit(id, send) {
  const form = element(id);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(async () => {
      const words = await send(form);
      form.reset();
      form.dispatchEvent(new Event("change"));
      return words;
    });
  });
}

export function onClick(id, action) {
  element(id).addEventListener("click", () => act(action));
}

export async function refresh() {
  let failure = "";
  for (const show of parts) {
    try {
      await show();
    } catch (error) {
      failure ||= `The sandbox cannot be reached: ${error.message}`;
    }
  }
  tell("trouble", actionTrouble || failure);
  tell("said", said);
}

function tell(id, words) {
  const place = element(id);
  if (place.textContent !== words) place.textContent = words;
  place.hidden = !words;
}

export async function poll() {
  if (!document.hidden) await refresh();
  setTimeout(poll, POLL);
}
