// Calls to the gateway, with the operator's key, which stays in this tab.

import { language, words } from "./words.js";

const PATIENCE = { GET: 10000, others: 30000 }; // milliseconds an answer may take
const KEY = "admin_key";
const PAUSE = 3000; // milliseconds before a stream that has ended is opened again

export const key = () => sessionStorage.getItem(KEY);
export const keep = (bearer) => sessionStorage.setItem(KEY, bearer);
export const dropKey = () => sessionStorage.removeItem(KEY);

export class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export async function ask(method, path, body, bearer = key()) {
  const response = await call(method, path, body, bearer);
  let answer;
  try {
    answer = await response.json();
  } catch {
    throw new Refused(0, "unreachable", words.unreachable);
  }
  if (response.ok) return answer;
  throw new Refused(response.status, answer.error, explain(answer) || String(response.status));
}

/** Fetches a picture, which an <img> alone could not, because it shows no key. */
export async function picture(path) {
  const response = await call("GET", path, undefined, key());
  if (!response.ok) throw new Refused(response.status, "no_picture", String(response.status));
  return URL.createObjectURL(await response.blob());
}

async function call(method, path, body, bearer) {
  const headers = { Authorization: `Bearer ${bearer}`, "Accept-Language": language };
  if (body) headers["Content-Type"] = "application/json";
  const signal = AbortSignal.timeout(PATIENCE[method] ?? PATIENCE.others);
  try {
    return await fetch(path, { method, headers, body: body && JSON.stringify(body), cache: "no-store", signal });
  } catch {
    throw new Refused(0, "unreachable", words.unreachable);
  }
}

/** Says in the reader's language what was refused; the reason of each field has a line of its own. */
function explain({ error, detail }) {
  if (!Array.isArray(detail)) return language === "en" ? detail : (words[`error_${error}`] ?? detail);
  const reasons = detail.map(({ field, reason }) => `${field}: ${reason}`);
  return (language === "en" ? reasons : [words.error_invalid_request, ...reasons]).join("\n");
}

/** Receives every change of every number for as long as the tab is signed in; EventSource could not send the key. */
export async function listen(hear) {
  for (;;) {
    if (key() && !document.hidden) await readEvents(hear).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

async function readEvents(hear) {
  const bearer = key();
  const headers = { Authorization: `Bearer ${bearer}`, "Accept-Language": language };
  const response = await fetch("events", { headers, cache: "no-store" });
  if (!response.ok) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done || key() !== bearer) return void reader.cancel();
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) hearOne(part, hear);
  }
}

function hearOne(part, hear) {
  const fields = { event: "message", data: "" };
  for (const line of part.split("\n")) {
    const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (name === "data") fields.data += value;
    else if (name) fields[name] = value;
  }
  if (fields.data) hear(fields.event, JSON.parse(fields.data));
}
