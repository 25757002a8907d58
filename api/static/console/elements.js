// Builds and updates elements; texts from strangers are only ever inserted as text.

const shown = new WeakMap(); // what each place shows, to render only what changed

export const element = (id) => document.getElementById(id);

export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value == null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name in made && name !== "list") made[name] = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child != null && child !== false && child !== ""));
  return made;
}

export function put(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

export function tell(place, text, isBad = false) {
  put(place, text);
  place.hidden = !text;
  place.classList.toggle("bad", isBad);
}

/** Renders only when the value has changed, so that the focus and a selection survive an update. */
export function renderOnce(place, value, render) {
  const text = JSON.stringify(value ?? null);
  if (shown.get(place) === text) return;
  shown.set(place, text);
  render();
}

export const forget = (place) => shown.delete(place);

/** A table whose cells carry the names of their columns, for narrow screens. */
export function table(label, columns, rows, empty) {
  if (rows.length === 0) return make("p", { className: "soft" }, empty);
  const head = make("tr", {}, columns.map((name) => make("th", { scope: "col" }, name)));
  const body = rows.map((cells) =>
    make("tr", {}, cells.map((cell, at) => make("td", { "data-label": columns[at] }, cell?.nodeType ? cell : String(cell ?? "")))),
  );
  return make("table", { "aria-label": label }, make("thead", {}, head), make("tbody", {}, body));
}

export function facts(entries) {
  return make(
    "dl",
    { className: "facts" },
    entries.filter(([, fact]) => fact != null && fact !== "").map(([name, fact]) =>
      make("div", {}, make("dt", {}, name), make("dd", {}, fact?.nodeType ? fact : String(fact))),
    ),
  );
}

/** A value that is there to be copied. */
export function handout(label, value, words) {
  const input = make("input", { readOnly: true, value });
  const button = make("button", { type: "button", onclick: () => copy(input, button, words) }, words.copy_it);
  return make("div", { className: "handout" }, make("label", {}, label, " ", input), button);
}

async function copy(input, button, words) {
  input.select();
  try {
    await navigator.clipboard.writeText(input.value);
    put(button, words.copied);
    setTimeout(() => put(button, words.copy_it), 2500);
  } catch {
    // Only https pages may use the clipboard; the text stays selected, so it can be copied by hand.
  }
}
