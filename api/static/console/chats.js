// Which private chats of a number go to Planfix, under its selection or another one that is only tried.

import { make, table } from "./elements.js";
import { ask } from "./gateway.js";
import { badge } from "./state.js";
import { figure, fill, words } from "./words.js";

export async function showChats(place, number, selection) {
  const query = new URLSearchParams({ chats: JSON.stringify(selection) });
  const { chats, unknown_folders: unknown, complete } = await ask("GET", `numbers/${number}/chats?${query}`);
  const going = chats.filter(({ goes }) => goes).length;
  const rows = chats.map((chat) => [chat.goes ? badge("good", words.chat_goes) : badge("off", words.chat_stays), nameOf(chat), chat.phone ? `+${chat.phone}` : ""]);
  const notes = [fill(words.chats_counted, { going: figure(going), all: figure(chats.length) })];
  if (!complete) notes.push(words.chats_cut);
  if (unknown.length) notes.push(fill(words.chats_unknown, { folders: unknown.join(", ") }));
  place.replaceChildren(make("p", {}, notes.join(" ")), make("div", { className: "tall", tabIndex: 0 }, table(words.chats, [words.chats_goes, words.person, words.phone], rows, words.no_chats)));
  return "";
}

/** Shows a person; the gateway does not tell the operator the names of people who are left out. */
function nameOf({ name, username, user_id: id, goes }) {
  if (!goes && !name) return make("span", { className: "soft" }, words.chat_private);
  return [name, username && `@${username}`].filter(Boolean).join(", ") || String(id);
}
