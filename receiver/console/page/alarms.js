// What is wrong, and what to do about it: the most important first.

import { h } from "./nodes.js";
import { badge, counted, when } from "./words.js";

const AT_FIRST = 8;

/** Return the alarms as they matter: at once before by and by, the whole before an account, old before new. */
export function sorted(alarms) {
  const rank = (alarm) => [alarm.urgency === "ticket" ? 1 : 0, alarm.account ? 1 : 0, alarm.since];
  return said(alarms).sort((one, other) => compare(rank(one), rank(other)));
}

/** Return a card for each of the first, or for `all`. */
export function cards(alarms, all, now) {
  const shown = all ? alarms : alarms.slice(0, AT_FIRST);
  const left = alarms.length - shown.length;
  return [
    h("ul", { class: "cards" }, shown.map((alarm) => card(alarm, now))),
    left > 0 &&
      h("button", { type: "button", "data-action": "all-alarms" }, `Show ${counted(left, "more alarm")}`),
  ];
}

function card(alarm, now) {
  const isUrgent = alarm.urgency !== "ticket";
  return h(
    "li",
    { class: `card ${isUrgent ? "bad" : "warn"}`, "data-key": same(alarm) },
    h(
      "h3",
      null,
      h("span", { class: "code" }, alarm.code),
      alarm.account && h("span", { class: "account" }, alarm.account),
      badge(isUrgent ? "bad" : "warn", isUrgent ? "now" : "soon"),
      h("span", { class: "since" }, "since ", when(alarm.since, now), whose(alarm.workers)),
    ),
    h("p", { class: "why" }, alarm.why),
    h("p", { class: "remedy" }, h("strong", null, "What to do: "), alarm.what_to_do),
  );
}

function whose(workers) {
  return workers.length > 0 && `, ${workers.length === 1 ? "worker" : "workers"} ${workers.join(", ")}`;
}

/** Return each alarm once, though several workers may say the same. */
function said(alarms) {
  const found = new Map();
  for (const alarm of alarms) {
    const key = same(alarm);
    const known = found.get(key) ?? { ...alarm, workers: [] };
    if (alarm.worker !== undefined) known.workers.push(alarm.worker);
    if (alarm.since < known.since) known.since = alarm.since;
    found.set(key, known);
  }
  return [...found.values()];
}

/** Return what two alarms have in common that are the same. */
function same({ account, code, urgency, why, what_to_do }) {
  return JSON.stringify([account, code, urgency, why, what_to_do]);
}

function compare(one, other) {
  const at = one.findIndex((value, index) => value !== other[index]);
  return at === -1 ? 0 : one[at] < other[at] ? -1 : 1;
}
