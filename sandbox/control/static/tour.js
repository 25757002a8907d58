// Five steps in which a newcomer sees what the gateway does; each sees by itself when it is done.

import { element, make, makeButton, onClick, renderOnce, watch } from "./page.js";
import { consoleAddress, desk, reply } from "./planfix.js";
import { chat, write } from "./telegram.js";
import { beginPlanfix, beginTelegram, endPlanfix, signal } from "./troubles.js";

const linesBy = (author) => (desk.thread?.lines ?? []).filter((line) => line.author === author);
const heard = () => linesBy("contact").length;
const ticked = () => linesBy("employee").filter(({ tick }) => tick === "sent" || tick === "read").length;
const customer = () => chat.person.first_name;
const say = (text) => write(chat.person, chat.number, text);

// `before` is what was there when the step began, `seen` what has happened since.
const STEPS = [
  {
    title: "A message",
    text: () => `${customer()} writes to the company's number in Telegram. Watch the right side: the message becomes a Planfix task.`,
    acts: [["Write a message", () => say("Hello! Is the blue one in stock?")]],
    isDone: ({ before }) => heard() > before.heard,
    done: "The task is there, with the contact's name and the number it was written to.",
  },
  {
    title: "An answer",
    text: () => "An employee answers in the task. One tick: Telegram has the message. Two ticks: it was read.",
    acts: [
      ["Answer as the employee", () => reply({ chat_id: desk.thread.chat_id, text: "It is. Shall we put one aside for you?" })],
    ],
    isDone: ({ before }) => ticked() > before.ticked,
    done: "The tick came from Telegram, not from us. Press “Mark as read” on the left: it becomes two.",
  },
  {
    title: "Planfix is down",
    text: () => `Planfix fails, and ${customer()} writes all the same. End the outage, and see that nothing was lost.`,
    acts: [
      ["Take Planfix down and write", async () => {
        await beginPlanfix("down");
        await say("Yes, please. Until Sunday?");
      }],
      ["End the outage", endPlanfix],
    ],
    note: ({ seen }) => (seen.fault = seen.fault || Boolean(desk.account?.faults.length)),
    isDone: ({ before, seen }) => seen.fault && !desk.account?.faults.length && heard() > before.heard,
    done: "It came late, but once and in order.",
  },
  {
    title: "A killed worker",
    text: () => "Each number runs in a process of its own. It is killed in the middle of its work, and a message comes in meanwhile.",
    acts: [
      ["Kill the worker and write", async (state) => {
        await signal("kill").catch(() => beginTelegram("cut"));
        await say("What does it cost, by the way?");
        state.seen.kill = true;
      }],
    ],
    isDone: ({ before, seen }) => seen.kill && heard() > before.heard,
    done: "A new process took over where the old one stopped. The other numbers noticed nothing.",
  },
  {
    title: "A lost login",
    text: () => "The owner ends the login on the phone while an employee answers. The gateway cannot mend that alone: the console says who has to do what.",
    acts: [
      ["End the login and answer", async () => {
        await beginTelegram("revoke");
        await beginTelegram("cut", {}); // a client learns of a lost login when it connects or asks
        await reply({ chat_id: desk.thread.chat_id, text: "It costs 250." });
      }],
    ],
    note: ({ seen }) => (seen.lost = seen.lost || chat.open === 0),
    hint: makeLoginHint,
    isDone: ({ before, seen }) => seen.lost && ticked() > before.ticked,
    done: "The number is back, and the answer was sent. That was the tour: now make your own trouble on both sides.",
  },
];

let place = 0;
let state = null;

function begin(step) {
  place = step;
  state = null;
}

function makeLoginHint({ seen }) {
  if (!seen.lost) return "";
  const hint = make("span", "", "The login is lost. Open ");
  const link = make("a", "", "the number in the console");
  link.href = `${consoleAddress()}#/numbers/${chat.number.phone}`;
  link.target = "_blank";
  hint.append(link, ", press “Login link”, open it and choose the code: ", make("b", "", chat.number.code), ". Or choose the QR code there, and “Scan a QR code” here.");
  return hint;
}

function showTour() {
  if (element("tour").hidden) return;
  const step = STEPS[place];
  const isReady = Boolean(chat.number && chat.person && desk.account && !chat.number.bot);
  if (isReady) {
    state ??= { before: { heard: heard(), ticked: ticked() }, seen: {}, isDone: false };
    step.note?.(state);
    state.isDone ||= Boolean(step.isDone(state));
  }
  const shown = [place, isReady, state?.isDone, state?.seen, desk.account?.faults.length, desk.thread?.chat_id];
  renderOnce("tour-step", shown, (box) => render(box, step, isReady));
}

function render(box, step, isReady) {
  const title = make("h2", "", `${place + 1} of ${STEPS.length}: ${step.title}`);
  const said = make("p", state?.isDone ? "done" : "");
  if (!isReady) said.textContent = "Choose a person and a number of the gateway on the left, then go on here.";
  else if (state.isDone) said.textContent = `✓ ${step.done}`;
  else said.append(step.hint?.(state) || step.text());
  const buttons = make("div", "buttons");
  if (isReady && !state.isDone && !state.seen.lost) buttons.append(...step.acts.map(([label, run], order) => makeAct(label, run, order, step)));
  if (place + 1 < STEPS.length) buttons.append(makeButton("Next", () => begin(place + 1), state?.isDone ? "" : "quiet"));
  else if (state?.isDone) buttons.append(makeButton("Start again", () => begin(0)));
  if (place) buttons.append(makeButton("Back", () => begin(place - 1)));
  box.replaceChildren(title, said, buttons);
  element("tour-progress").value = place + Number(state?.isDone ?? false);
}

// Where a step has two buttons, the second undoes the first.
function makeAct(label, run, order, { acts }) {
  const isNext = acts.length === 1 || (desk.account?.faults.length ? order === 1 : order === 0);
  const button = makeButton(label, () => run(state), isNext ? "" : "quiet");
  button.disabled = !isNext || (/answer/i.test(label) && !desk.thread?.chat_id);
  return button;
}

function toggle() {
  element("tour").hidden = !element("tour").hidden;
  element("tour-open").setAttribute("aria-expanded", String(!element("tour").hidden));
}

watch(showTour);
onClick("tour-open", toggle);
onClick("tour-close", toggle);
