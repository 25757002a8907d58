// Small pictures of the last hour and of the last day, each with its meaning in words.

import { make } from "./elements.js";
import { levelOf } from "./state.js";
import { clock, duration, exact, figure, fill, time, word, words } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const DAY = 86400000; // milliseconds
const NARROWEST = 300; // seconds; what lasted shorter is drawn as wide as that

function draw(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const picture = (width, height, label, ...children) =>
  draw("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": label, class: "chart" }, ...children);

/** A bar for each count, on top of the count in `below`, if there is one. */
function bars(counts, most, height, name, below = []) {
  return counts.flatMap((count, at) => {
    if (!count) return [];
    const size = Math.max(1, (count / most) * height);
    const bottom = ((below[at] ?? 0) / most) * height;
    return [draw("rect", { x: at, y: height - bottom - size, width: 0.8, height: size, class: name })];
  });
}

const sum = (counts) => counts.reduce((total, count) => total + count, 0);

export function sparkline(counts) {
  const label = fill(words.hour_count, { count: figure(sum(counts)) });
  return picture(counts.length, 20, label, ...bars(counts, Math.max(4, ...counts), 20, "both"));
}

/** The messages of an hour both ways, and how long they took. */
export function hourChart(minutes, heading) {
  const [into, out] = [minutes.map((each) => each.in), minutes.map((each) => each.out)];
  const most = Math.max(4, ...minutes.map((each) => each.in + each.out));
  const delays = minutes.map((each) => Math.max(each.delay_in ?? 0, each.delay_out ?? 0));
  const slowest = Math.max(...delays);
  const told = fill(words.hour_told, { into: figure(sum(into)), out: figure(sum(out)) });
  const took = slowest ? fill(words.hour_took, { seconds: exact.format(slowest) }) : words.hour_untimed;
  return make(
    "section",
    { className: "last-hour", ariaLabel: words.hour },
    heading,
    one(told, picture(minutes.length, 48, told, ...bars(into, most, 48, "into"), ...bars(out, most, 48, "out", into)), [["into", words.way_in], ["out", words.way_out]]),
    one(took, picture(minutes.length, 48, took, ...bars(delays, Math.max(1, slowest), 48, "delay")), [["delay", words.delay]]),
    make("p", { className: "soft ends" }, make("span", {}, clock(new Date(minutes[0].at))), make("span", {}, clock(new Date(minutes.at(-1).at)))),
  );
}

function one(text, chart, keys) {
  const legend = keys.map(([name, meaning]) => make("span", { className: `key ${name}` }, meaning));
  return make("figure", {}, make("figcaption", {}, text, " ", legend), chart);
}

/** In which state a number is, and since when. */
export function stateTold({ state, since }, now = Date.now()) {
  const lasting = duration(Math.max(0, (now - Date.parse(since)) / 1000));
  return since ? fill(words.state_since, { state: word("state", state), since: time(since), lasting }) : word("state", state);
}

/** In which states a number was during the last day: the present one, and those before it. */
export function dayChart(view, states, told, heading, now = Date.now()) {
  const begin = now - DAY;
  const past = states.filter(({ at }) => Date.parse(at) < Date.parse(view.since)).map((each) => ({ ...each, attention: attentionOf(each) }));
  let end = now;
  const parts = [];
  for (const { at, state, attention } of [{ at: view.since ?? 0, state: view.state, attention: view.attention }, ...past]) {
    const from = Math.max(begin, new Date(at).getTime());
    const width = Math.max((end - from) / 1000, NARROWEST);
    const title = draw("title", {}, `${word("state", state)}, ${time(at)}`);
    // The newer ones are drawn later, so that the shortest of them stays visible.
    if (end > from) parts.unshift(draw("rect", { x: (end - begin) / 1000 - width, y: 0, width, height: 10, class: levelOf({ state, attention }) }, title));
    end = from;
    if (end <= begin) break;
  }
  return make(
    "section",
    { className: "last-hour", ariaLabel: words.day },
    heading,
    make("figure", {}, make("figcaption", {}, told), picture(DAY / 1000, 10, told, ...parts)),
    make("p", { className: "soft ends" }, make("span", {}, time(new Date(begin))), make("span", {}, clock(new Date(now)))),
  );
}

function attentionOf({ status, cause }) {
  if (status === "online") return cause ? "mends_itself" : "none";
  return cause ? "needs_somebody" : "mends_itself";
}
