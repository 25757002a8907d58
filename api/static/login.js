// Keeps the QR code on the page current, and reloads the page once the code has been scanned.
"use strict";

const PAUSE = 1500; // milliseconds
const qr = document.getElementById("qr");
let shown = qr.dataset.version;

async function look() {
  const answer = await fetch("state", { cache: "no-store" });
  const { stage, version } = answer.ok ? await answer.json() : {};
  if (stage !== "qr" && answer.status < 500) {
    location.replace(location.href);
  } else if (version && version !== shown) {
    shown = version;
    qr.src = `qr.svg?v=${shown}`;
  }
}

async function follow() {
  try {
    await look();
  } catch {
    // The connection is interrupted; the next attempt may succeed.
  }
  setTimeout(follow, PAUSE);
}

follow();
