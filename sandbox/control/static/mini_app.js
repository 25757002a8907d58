// A bot's Mini App in a frame, and the people of the TeamFlame that it shows.

import { ask } from "./http.js";
import { act, element, renderOnce, watch } from "./page.js";

export function openAddress(url) {
  if (url.includes("tgWebAppData=")) openMiniApp(url);
  else window.open(url, "_blank", "noopener");
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

// The last of the people plays the colleague of the person who tries the demo as the first one.
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

watch(showTeamFlame);
element("mini-app-close").addEventListener("click", closeMiniApp);
element("teamflame-act").addEventListener("click", () => act(actAsColleague));
