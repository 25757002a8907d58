// The page: each module shows its part in every round, in the order in which they need each other.

import { element, poll } from "./page.js";
import "./telegram.js";
import "./planfix.js";
import "./troubles.js";
import "./mini_app.js";
import "./tour.js";

function markClip(form) {
  const clip = form.querySelector(".clip");
  clip.classList.toggle("full", clip.querySelector("input").files.length > 0);
}

for (const id of ["telegram-form", "planfix-form"]) element(id).addEventListener("change", () => markClip(element(id)));
poll();
