// Lets the reader try each call with the key of the console, which this tab keeps.

const KEY = "admin_key"; // where the console keeps its key
const MOST = 20000; // characters of an answer that are shown
const CHANGES = new Set(["delete", "put", "patch"]);
const api = fetch("openapi.json").then((answer) => answer.json());

const make = (tag, attributes = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), attributes);
  made.append(...children);
  return made;
};

const form = document.getElementById("key");
const showKey = () => {
  form.querySelector("[role=status]").textContent = sessionStorage.getItem(KEY) ? "This tab has a key." : "No key yet.";
};
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const key = form.elements.key.value.trim();
  if (key) sessionStorage.setItem(KEY, key);
  else sessionStorage.removeItem(KEY);
  form.reset();
  showKey();
});
showKey();

function headersFor(body) {
  const key = sessionStorage.getItem(KEY);
  const headers = body ? { "Content-Type": "application/json" } : {};
  // A key with a scheme in front, like that of a Mini App, is sent as it is.
  if (key) headers.Authorization = key.includes(" ") ? key : `Bearer ${key}`;
  return headers;
}

/** Returns what a body with this schema may look like. */
function exampleOf(schema, parts) {
  if (schema.$ref) return exampleOf(parts[schema.$ref.split("/").at(-1)], parts);
  if (schema.examples?.length) return schema.examples[0];
  if (schema.default != null) return schema.default;
  if (schema.const != null) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.anyOf) return exampleOf(schema.anyOf[0], parts);
  if (schema.type === "object") return bodyOf(schema, parts);
  return { array: [], integer: 0, number: 0, boolean: false }[schema.type] ?? "";
}

function bodyOf(schema, parts) {
  const names = schema.required ?? [];
  return Object.fromEntries(names.map((name) => [name, exampleOf(schema.properties[name], parts)]));
}

async function addTry(place) {
  const { paths, components } = await api;
  const { method, path } = place.dataset;
  const call = paths[path][method];
  const fields = (call.parameters ?? []).map((parameter) => fieldOf(parameter));
  const schema = call.requestBody?.content["application/json"]?.schema;
  const body = schema && make("textarea", { rows: 6, spellcheck: false, value: JSON.stringify(bodyOf(schema, components.schemas), null, 2) });
  const said = make("pre", { hidden: true, tabIndex: 0, ariaLabel: "What the gateway answered" });
  const send = make("button", { className: "main", textContent: "Send" });
  const trying = make("form", { className: "try" }, make("h4", { textContent: "Try it" }), ...fields, ...(body ? [make("label", {}, "Body", body)] : []), send, said);
  trying.addEventListener("submit", (event) => {
    event.preventDefault();
    if (CHANGES.has(method) && !confirm(`${method.toUpperCase()} ${path}: really send it to this gateway?`)) return;
    carryOut(trying, method, path, body?.value, said);
  });
  place.append(trying);
}

const fieldOf = ({ name, in: where, required }) => {
  const input = make("input", { name: `${where} ${name}`, required: Boolean(required), autocomplete: "off", spellcheck: false });
  return make("label", {}, name, input);
};

function addressOf(trying, path) {
  const query = new URLSearchParams();
  for (const { name, value } of trying.querySelectorAll("input")) {
    const [where, field] = name.split(" ");
    if (where === "path") path = path.replace(`{${field}}`, encodeURIComponent(value));
    else if (value) query.set(field, value);
  }
  return path.slice(1) + (query.size ? `?${query}` : "");
}

async function carryOut(trying, method, path, body, said) {
  said.hidden = false;
  said.textContent = "…";
  trying.stop?.abort();
  trying.stop = new AbortController();
  try {
    const options = { method: method.toUpperCase(), headers: headersFor(body), body, cache: "no-store", signal: trying.stop.signal };
    const answer = await fetch(addressOf(trying, path), options);
    said.textContent = `${answer.status}\n`;
    for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
      said.textContent = (said.textContent + piece).slice(0, MOST);
    }
    said.textContent = readable(said.textContent);
  } catch (error) {
    if (error.name !== "AbortError") said.textContent = `The gateway does not answer: ${error.message}`;
  }
}

function readable(text) {
  const end = text.indexOf("\n") + 1;
  try {
    return text.slice(0, end) + JSON.stringify(JSON.parse(text.slice(end)), null, 2);
  } catch {
    return text;
  }
}

/** Opens the call that the address of the page names. */
function openNamed() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (named instanceof HTMLDetailsElement) {
    named.open = true;
    named.scrollIntoView();
  }
}

const offered = new Set();
function offerTry(place) {
  if (!place.open || offered.has(place)) return;
  offered.add(place);
  addTry(place);
}

for (const place of document.querySelectorAll(".call")) {
  place.addEventListener("toggle", () => offerTry(place));
  offerTry(place); // a quick reader opens a call before this script has arrived
}
if (matchMedia("(max-width: 760px)").matches) document.querySelector("#contents details").open = false;
window.addEventListener("hashchange", openNamed);
openNamed();
