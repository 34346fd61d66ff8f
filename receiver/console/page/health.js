// Whether the service is well: the state of the whole, and of each part.

import { h } from "./nodes.js";
import { badge } from "./words.js";

const TONES = { ok: "good", degraded: "warn", failed: "bad" };
const OVERALL = { ok: "ready", degraded: "ready, degraded", failed: "not ready" };
const WORST_FIRST = ["failed", "degraded", "ok"];

/** Return the state of the whole. */
export function overall(health) {
  return badge(TONES[health.state] ?? "plain", OVERALL[health.state] ?? health.state);
}

/** Return how many parts are not well. */
export function unwell(health) {
  return Object.values(health.parts).filter((part) => part.state !== "ok").length;
}

/** Return each part with its state and why; below those of workers what each of them says. */
export function parts(health) {
  const workers = Object.entries(health.workers ?? {}).filter(([, told]) => unwell(told) > 0);
  return [
    list(health.parts, ""),
    workers.map(([worker, told]) => [
      h("h3", { "data-key": `worker ${worker}` }, `worker ${worker}`),
      list(told.parts, worker),
    ]),
  ];
}

function list(told, whose) {
  const sorted = Object.entries(told).sort(([, one], [, other]) => rank(one) - rank(other));
  return h(
    "ul",
    { class: "parts", "data-key": `parts ${whose}` },
    sorted.map(([name, part]) =>
      h(
        "li",
        { "data-key": name },
        h("span", { class: "part" }, name),
        badge(TONES[part.state] ?? "plain", part.state),
        part.why && h("p", null, part.why),
      ),
    ),
  );
}

function rank(part) {
  return WORST_FIRST.indexOf(part.state);
}
