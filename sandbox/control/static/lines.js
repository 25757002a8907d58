// The lines of a chat or a task: text, files, pictures, buttons, and what can be done with them.

import { element, make, makeButton, renderOnce } from "./page.js";

const SIGNS = { accepted: "·", sent: "✓", read: "✓✓", error: "!" };
const PICTURE = /\.(png|jpe?g|gif|webp)$/i;
const clockFormat = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export const clock = (seconds) => clockFormat.format(new Date(seconds * 1000));
export const size = (bytes) => (bytes < 1024 ? `${bytes} B` : bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1048576).toFixed(1)} MB`);

export function renderLines(id, lines, emptyText, handlers = {}) {
  renderOnce(id, [lines, emptyText], (list) => {
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    const items = lines.map((line) => makeLine(line, handlers));
    list.replaceChildren(...(items.length ? items : [make("li", "empty", emptyText)]));
    const follow = () => { if (atEnd) list.scrollTop = list.scrollHeight; };
    for (const image of list.querySelectorAll("img")) image.addEventListener("load", follow);
    follow();
  });
}

function makeLine(line, { press, actions }) {
  const made = make("li", line.mine ? "mine" : "");
  if (line.quote) made.append(make("span", "quote", line.quote));
  made.append(line.text);
  for (const file of line.files ?? []) made.append(makeFile(file));
  (line.buttons ?? []).forEach((row, y) => {
    const place = make("span", "buttons");
    row.forEach((button, x) => place.append(makeButton(button.text, () => press(line.id, [y, x]))));
    made.append(place);
  });
  made.append(makeNote(line, actions?.(line) ?? []));
  return made;
}

function makeNote({ note, tick, reason }, actions) {
  const foot = make("span", "note", note);
  if (tick) {
    const sign = make("span", `tick ${tick}`, SIGNS[tick] ?? tick);
    sign.title = reason || tick;
    sign.setAttribute("role", "img");
    sign.setAttribute("aria-label", sign.title);
    foot.append(" ", sign);
    if (tick === "error" && reason) foot.append(" ", make("span", "tick error", reason));
  }
  if (actions.length) {
    const place = make("span", "actions");
    place.append(...actions.map(([label, action]) => makeButton(label, action, "link")));
    foot.append(place);
  }
  return foot;
}

function makeFile({ name, url, about }) {
  const label = about ? `${name} (${about})` : name;
  if (!url) return make("span", "file", label);
  if (PICTURE.test(name)) return makePicture(name, url);
  const link = make("a", "file", label);
  link.href = url;
  link.download = name;
  return link;
}

function makePicture(name, url) {
  const button = make("button", "picture");
  button.type = "button";
  const image = make("img");
  image.alt = name;
  image.src = url;
  button.append(image);
  button.addEventListener("click", () => {
    element("picture").src = url;
    element("picture").alt = name;
    element("picture-link").href = url;
    element("picture-link").download = name;
    element("picture-link").textContent = `Save ${name}`;
    element("picture-dialog").showModal();
  });
  return button;
}

element("picture-close").addEventListener("click", () => element("picture-dialog").close());
