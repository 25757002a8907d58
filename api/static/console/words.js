// Texts, times and figures in the reader's language.

import { element } from "./elements.js";

export const words = JSON.parse(element("words").textContent);
export const language = document.documentElement.lang;

const isOurs = (tag) => /^[a-z]{2}(-[A-Z]{2})?$/.test(tag) && tag.startsWith(language);
export const lang = navigator.languages.find(isOurs) ?? language; // with the country, because date formats differ

const ages = new Intl.RelativeTimeFormat(lang, { style: "short", numeric: "always" });
const megabytes = new Intl.NumberFormat(lang, { style: "unit", unit: "megabyte", maximumFractionDigits: 1 });
export const exact = new Intl.NumberFormat(lang, { style: "unit", unit: "second", maximumSignificantDigits: 2 });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
export const word = (kind, name) => words[`${kind}_${name}`] ?? name;
export const clock = (moment) => moment.toLocaleTimeString(lang);
export const figure = (count) => count.toLocaleString(lang);
export const memory = (bytes) => (bytes == null ? "–" : megabytes.format(bytes / 1e6));
export const pair = (counts) => `${counts?.in ?? 0} / ${counts?.out ?? 0}`;
export const both = (counts) => (counts?.in ?? 0) + (counts?.out ?? 0);

export function time(text) {
  return text ? new Date(text).toLocaleString(lang, { dateStyle: "short", timeStyle: "medium" }) : "";
}

export function age(text) {
  if (!text) return words.never;
  const [count, unit] = measure(Math.max(0, (Date.now() - new Date(text)) / 1000));
  return ages.format(-count, unit);
}

/** When a number last heard from Telegram; one that is well may have heard nothing since its start. */
export function heard({ last_heard, status, worker }, quiet = words.unheard) {
  if (last_heard || status !== "online" || !worker) return age(last_heard);
  const start = new Date(Date.now() - worker.uptime * 1000);
  const isToday = start.toDateString() === new Date().toDateString();
  const at = start.toLocaleString(lang, { dateStyle: isToday ? undefined : "short", timeStyle: "short" });
  return fill(quiet, { at });
}

export function duration(seconds) {
  const [count, unit] = measure(seconds);
  return new Intl.NumberFormat(lang, { style: "unit", unit, unitDisplay: "long" }).format(count);
}

function measure(seconds) {
  const [unit, length] = UNITS.find(([, size]) => seconds >= size) ?? UNITS.at(-1);
  return [Math.floor(seconds / length), unit];
}
