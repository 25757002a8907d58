// Logging a number in: a link for the client, or a code or QR code that the operator has at hand.

import { forget, handout, make, renderOnce, tell } from "./elements.js";
import { Refused, ask, picture } from "./gateway.js";
import { fill, time, words } from "./words.js";

const WAITING = new Set(["needs_login", "needs_code", "needs_password"]);

/** Shows what fits the state: nothing for a number that is logged in. */
export function loginPanel(place, view) {
  const state = WAITING.has(view.state) || ["parked", "banned"].includes(view.state) ? view.state : "";
  renderOnce(place, [view.number, state], () => place.replaceChildren(...(state ? [panel(place, view.number, state)] : [])));
}

function panel(place, number, state) {
  const said = make("p", { className: "said", hidden: true, role: "status" });
  const more = make("div");
  const attempt = async (action) => {
    tell(said, "");
    try {
      await action();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      tell(said, fill(words.refused, { reason: error.message }), true);
    }
    document.dispatchEvent(new Event("changed"));
  };
  const ways = [
    make("button", { type: "button", onclick: () => attempt(() => showLink(number, more, said)) }, words.login_link),
    make("button", { type: "button", onclick: () => attempt(() => ask("POST", `numbers/${number}/login`, { method: "code" })) }, words.login_code),
    make("button", { type: "button", onclick: () => attempt(() => showQr(number, more)) }, words.login_qr),
  ];
  // Somebody who is typing a code would lose the page to a new link.
  const isTyping = state === "needs_code" || state === "needs_password";
  const field = isTyping ? answerForm(number, state, attempt) : null;
  const again = isTyping && make("button", { type: "button", onclick: () => (forget(place), place.replaceChildren(panel(place, number, "needs_login"))) }, words.login_again);
  return make("div", { className: "login" }, field, make("div", { className: "row" }, isTyping ? again : ways), said, more);
}

function answerForm(number, state, attempt) {
  const name = state === "needs_code" ? "code" : "password";
  const input = make("input", { name, type: name === "code" ? "text" : "password", autocomplete: "off", required: true });
  return make(
    "form",
    {
      className: "row",
      onsubmit: (event) => {
        event.preventDefault();
        attempt(() => ask("POST", `numbers/${number}/login/${name}`, { [name]: input.value.trim() }));
      },
    },
    make("label", {}, words[`login_${name}_label`], " ", input),
    make("button", { className: "main" }, words.send),
  );
}

async function showLink(number, place, said) {
  const { url, expires_at: until } = await ask("POST", `numbers/${number}/login/link`);
  place.replaceChildren(handout(words.login_link, url, words));
  tell(said, fill(words.link_until, { time: time(until) }));
}

async function showQr(number, place) {
  await ask("POST", `numbers/${number}/login`, { method: "qr" });
  const source = await picture(`numbers/${number}/login/qr.svg`);
  place.replaceChildren(make("img", { src: source, alt: words.login_qr, width: 240, height: 240 }), make("p", { className: "soft" }, words.login_qr_how));
}
