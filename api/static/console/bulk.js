// What is done with many numbers at once.

import { ask } from "./gateway.js";
import { figure, fill, words } from "./words.js";

export async function actOn(numbers, action) {
  if (action === "stop" && !confirm(fill(words.stop_many_sure, { count: figure(numbers.length) }))) return "";
  const answer = await ask("POST", "numbers/actions", { action, numbers });
  const failed = answer.numbers.filter(({ outcome }) => outcome === "failed");
  const done = answer.numbers.filter(({ outcome }) => outcome === "done").length;
  const lines = failed.map(({ number, error, detail }) => `+${number}: ${[error, detail].filter(Boolean).join(", ")}`);
  return [fill(words.done_many, { done: figure(done), count: figure(numbers.length) }), ...lines].join("\n");
}

export async function makeLinks(numbers) {
  const lines = [];
  for (const number of numbers) {
    try {
      const { url } = await ask("POST", `numbers/${number}/login/link`);
      lines.push(`+${number} ${url}`);
    } catch (error) {
      lines.push(`+${number} ${error.message}`);
    }
  }
  return lines.join("\n");
}
