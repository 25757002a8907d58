// Shows both ends of the gateway by asking the control calls every second.

const POLL = 1000; // milliseconds
const FIRST = "first"; // the thread list's entry for a person without a task
const SIGNS = { accepted: "·", sent: "✓", read: "✓✓", error: "!" };
const element = (id) => document.getElementById(id);
const shown = new Map(); // what each part of the page shows now
let followNewest = true; // until the first task is there, then after each first message

async function ask(method, path, body) {
  const options = { method, headers: {} };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const response = await fetch(path, options);
  const text = await response.text();
  if (!response.ok) throw new Error(explain(response.status, text));
  return text ? JSON.parse(text) : null;
}

function explain(status, text) {
  try {
    const { detail } = JSON.parse(text);
    if (!Array.isArray(detail)) return String(detail);
    return detail.map(({ field, reason }) => `${field}: ${reason}`).join("; ");
  } catch {
    return `the sandbox answered ${status}`;
  }
}

function tell(trouble) {
  const place = element("trouble");
  if (place.textContent === trouble) return;
  place.textContent = trouble;
  place.hidden = !trouble;
}

// Renders only what changed, so that open lists and selections are left in peace.
function renderOnce(id, value, render) {
  const text = JSON.stringify(value);
  if (shown.get(id) === text) return;
  shown.set(id, text);
  render(element(id), value);
}

function renderChoices(id, choices) {
  renderOnce(id, choices, (select) => {
    const before = select.value;
    select.replaceChildren(...choices.map(([value, label]) => new Option(label, value)));
    if (choices.some(([value]) => value === before)) select.value = before;
  });
}

function make(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function makeLine({ mine, text, files, note, tick, reason, buttons = [], id }) {
  const line = make("li", mine ? "mine" : "", text);
  for (const file of files) line.append(make("span", "file", file));
  buttons.forEach((row, y) => {
    const place = make("span", "buttons", "");
    row.forEach((button, x) => {
      const made = make("button", "quiet", button.text);
      made.type = "button";
      made.addEventListener("click", () => act(() => press(id, [y, x])));
      place.append(made);
    });
    line.append(place);
  });
  const foot = make("span", "note", note);
  if (tick) {
    const sign = make("span", `tick ${tick}`, ` ${SIGNS[tick] ?? tick}`);
    sign.title = reason || tick;
    sign.setAttribute("aria-label", sign.title);
    foot.append(sign);
  }
  line.append(foot);
  return line;
}

function renderLines(id, lines, emptyText) {
  renderOnce(id, [lines, emptyText], (list) => {
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    const items = lines.map(makeLine);
    list.replaceChildren(...(items.length ? items : [make("li", "empty", emptyText)]));
    if (atEnd) list.scrollTop = list.scrollHeight;
  });
}

const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString();
const when = (date) => (typeof date === "number" ? clock(date) : new Date(date).toLocaleTimeString());
const size = (bytes) => (bytes < 1024 ? `${bytes} B` : bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1048576).toFixed(1)} MB`);

async function showTelegram() {
  const accounts = await ask("GET", "/telegram/accounts");
  const people = accounts.filter(({ bot }) => !bot);
  const bots = accounts.filter(({ bot }) => bot);
  const label = ({ first_name, last_name, phone }) => `${[first_name, last_name].filter(Boolean).join(" ")} +${phone}`;
  renderChoices("person", people.map((person) => [person.phone, label(person)]));
  const me = element("person").value;
  const others = people.filter(({ phone }) => phone !== me).map((person) => [person.phone, label(person)]);
  renderChoices("partner", [...others, ...bots.map(({ username, first_name }) => [username, `${first_name} @${username}`])]);
  const partner = element("partner").value;
  element("telegram-form").querySelector("button").disabled = !me || !partner;
  if (!me || !partner) return renderLines("telegram-lines", [], "Add two people, and then write from one to the other.");
  const query = new URLSearchParams({ of: me, with: partner });
  const messages = await ask("GET", `/telegram/messages?${query}`);
  const lines = messages.map(({ out, text, file, date, buttons, contact, id }) => ({
    id,
    buttons,
    mine: out,
    text: contact ? `${contact.name} +${contact.phone}` : text ?? "",
    files: file ? [`${file.name} (${size(file.size)})`] : [],
    note: when(date),
  }));
  renderLines("telegram-lines", lines, "No messages between these two yet.");
}

async function showPlanfix() {
  const accounts = await ask("GET", "/planfix");
  renderChoices("account", accounts.map(({ account }) => [account, account]));
  const account = accounts.find(({ account }) => account === element("account").value);
  element("planfix-form").querySelector("button").disabled = !account?.webhook_url;
  for (const id of ["account", "thread", "fault"]) element(id).disabled = !account;
  if (!account) return renderLines("planfix-lines", [], "No Planfix account yet: PUT /planfix/{account} makes one.");
  renderOnce("fault", account.faults, (select) => { select.value = account.faults[0]?.mode ?? ""; });
  const threads = await ask("GET", `/planfix/${account.account}/threads`);
  showThread(threads, account);
}

function showThread(threads, account) {
  const choices = threads.map(({ task, task_name }) => [String(task), `#${task} ${task_name}`]);
  renderChoices("thread", [...choices, [FIRST, "Write to someone new"]]);
  if (followNewest && threads.length) {
    element("thread").value = String(threads[0].task);
    followNewest = false;
  }
  const chosen = element("thread").value;
  const thread = threads.find(({ task }) => String(task) === chosen);
  element("first-recipient").hidden = Boolean(thread?.chat_id);
  element("planfix-form").dataset.chat = thread?.chat_id ?? "";
  const author = { contact: thread?.contact, owner: "written in Telegram", employee: "employee" };
  const lines = (thread?.lines ?? []).map((line) => ({
    mine: line.author !== "contact",
    text: line.text,
    files: line.files,
    note: `${author[line.author]}, ${clock(line.at)}`,
    tick: line.tick,
    reason: line.tick_text,
  }));
  const hint = account.webhook_url ? "Enter a recipient above and write a message." : "This account has no webhook_url, so its employees cannot answer.";
  renderLines("planfix-lines", lines, hint);
}

async function readFiles(input) {
  return Promise.all([...input.files].map(async (file) => ({
    name: file.name,
    mime: file.type || "application/octet-stream",
    base64: await readBase64(file),
  })));
}

function readBase64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

async function sendTelegram(form) {
  const message = { from: element("person").value, to: element("partner").value };
  const files = await readFiles(form.elements.files);
  if (form.elements.text.value) message.text = form.elements.text.value;
  if (files.length) message.files = files;
  await ask("POST", "/telegram/messages", message);
}

// What a bot answers is shown where trouble is; a Mini App opens in a frame, an address beside this page.
async function press(message_id, button) {
  const order = { by: element("person").value, chat_with: element("partner").value, message_id, button };
  const { answer, url } = await ask("POST", "/telegram/press", order);
  if (url?.includes("tgWebAppData=")) openMiniApp(url);
  else if (url) window.open(url, "_blank", "noopener");
  if (answer) throw new Error(answer);
}

function openMiniApp(url) {
  closeMiniApp(); // an address that differs only behind the # would not load again
  element("mini-app-frame").src = url;
  element("mini-app").hidden = false;
}

function closeMiniApp() {
  const old = element("mini-app-frame");
  const frame = old.cloneNode();
  frame.removeAttribute("src");
  old.replaceWith(frame);
  element("mini-app").hidden = true;
}

async function showTeamFlame() {
  const [office] = await ask("GET", "/teamflame");
  renderOnce("teamflame-people", office?.people ?? [], (place, people) => {
    const logins = people.map(({ email, password }) => `${email} (password ${password})`);
    place.textContent = `sign in as ${logins.join(" or ")}.`;
    element("teamflame").hidden = !people.length;
  });
}

// The last of the people plays the colleague of whoever tries the demo as the first one.
async function actAsColleague() {
  const [office] = await ask("GET", "/teamflame");
  const boards = office.spaces.flatMap(({ projects }) => projects.flatMap(({ boards }) => boards));
  const board = boards.find(({ columns }) => columns.some(({ tasks }) => tasks.length));
  if (!board) throw new Error("There is no card that could be moved.");
  const from = board.columns.findIndex(({ tasks }) => tasks.length);
  const to = board.columns[(from + 1) % board.columns.length];
  const order = { by: office.people.at(-1).email, do: "move", board: board.id };
  await ask("POST", `/teamflame/${office.workspace}/act`, { ...order, task: board.columns[from].tasks[0].id, column: to.id });
}

async function sendPlanfix(form) {
  const reply = { text: form.elements.text.value };
  reply.files = (await readFiles(form.elements.files)).map(({ name, base64 }) => ({ name, base64 }));
  if (form.dataset.chat) reply.chat_id = form.dataset.chat;
  else Object.assign(reply, filled(element("first-recipient")));
  const { status, body } = await ask("POST", `/planfix/${element("account").value}/reply`, reply);
  followNewest = !form.dataset.chat;
  if (status !== 200) throw new Error(`The gateway answered ${status ?? "nothing"}: ${typeof body === "string" ? body : JSON.stringify(body)}`);
}

const filled = (form) => Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));

async function addPerson(form) {
  await ask("POST", "/telegram/accounts", filled(form));
  form.hidden = true;
}

async function changeFault() {
  const faults = `/planfix/${element("account").value}/faults`;
  const mode = element("fault").value;
  await ask("DELETE", faults);
  if (mode) await ask("POST", faults, mode === "slow" ? { mode, seconds: 3 } : { mode });
}

// The trouble of an action stays until the next action, unlike the trouble of a poll.
let actionTrouble = "";

async function act(action) {
  try {
    await action();
    actionTrouble = "";
  } catch (error) {
    actionTrouble = error.message;
  }
  await refresh();
}

function onSubmit(id, send) {
  const form = element(id);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(async () => {
      await send(form);
      form.reset();
      markClip(form);
    });
  });
}

function markClip(form) {
  const clip = form.querySelector(".clip");
  if (clip) clip.classList.toggle("full", clip.querySelector("input").files.length > 0);
}

async function refresh() {
  const results = await Promise.allSettled([showTelegram(), showPlanfix(), showTeamFlame()]);
  const failed = results.find(({ status }) => status === "rejected");
  tell(actionTrouble || (failed ? `The sandbox cannot be reached: ${failed.reason.message}` : ""));
}

async function poll() {
  if (!document.hidden) await refresh();
  setTimeout(poll, POLL);
}

onSubmit("telegram-form", sendTelegram);
onSubmit("planfix-form", sendPlanfix);
onSubmit("new-person", addPerson);
element("first-recipient").addEventListener("submit", (event) => event.preventDefault());
element("new-person-open").addEventListener("click", () => { element("new-person").hidden = !element("new-person").hidden; });
element("fault").addEventListener("change", () => act(changeFault));
element("mini-app-close").addEventListener("click", closeMiniApp);
element("teamflame-act").addEventListener("click", () => act(actAsColleague));
for (const id of ["person", "partner", "account", "thread"]) element(id).addEventListener("change", refresh);
for (const id of ["telegram-form", "planfix-form"]) element(id).addEventListener("change", () => markClip(element(id)));
poll();
