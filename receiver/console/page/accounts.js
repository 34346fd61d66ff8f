// The accounts: those with trouble first, and never more rows than a person can use.

import { full, tone, worst } from "./care.js";
import { h } from "./nodes.js";
import { badge, counted, number, when } from "./words.js";

const PAGE = 50;
const [BAD, LOOK, WELL] = [0, 1, 2];
const BADGES = [
  ["bad", "trouble"],
  ["warn", "check"],
  ["good", "well"],
];

/** Return the accounts with what is amiss at each, the worst first. */
export function judged(accounts, alarms) {
  const codes = new Map();
  for (const alarm of alarms) {
    if (alarm.account) codes.set(alarm.account, [...(codes.get(alarm.account) ?? []), alarm]);
  }
  return accounts
    .map((account) => judge(account, codes.get(account.name) ?? []))
    .sort((one, other) => one.rank - other.rank || (one.account.name < other.account.name ? -1 : 1));
}

/** Return those of them that an operator looks for. */
export function sifted(all, filter, onlyTrouble) {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return all.filter(
    ({ rank, text }) => (!onlyTrouble || rank !== WELL) && words.every((word) => text.includes(word)),
  );
}

/** Return how many of how many were found. */
export function found(shown, all) {
  const troubled = all.filter(({ rank }) => rank !== WELL).length;
  const trouble = troubled ? `, ${number(troubled)} with trouble` : ", all well";
  return shown.length === all.length
    ? `${counted(all.length, "account")}${all.length ? trouble : ""}`
    : `${number(shown.length)} of ${counted(all.length, "account")}`;
}

/** Return the rows of the first `pages` pages; those in `opened` with everything. */
export function rows(shown, pages, opened, now) {
  const left = shown.length - pages * PAGE;
  return [
    h(
      "ul",
      { class: "accounts" },
      shown.slice(0, pages * PAGE).map((each) => row(each, opened.has(each.account.name), now)),
    ),
    left > 0 &&
      h(
        "button",
        { type: "button", "data-action": "more-accounts" },
        `Show ${number(Math.min(left, PAGE))} more of ${number(left)}`,
      ),
  ];
}

function judge(account, alarms) {
  const { care, polling } = account;
  const told = [...new Set(alarms.map((alarm) => alarm.code))];
  if (polling?.stopped) told.push("calls have stopped");
  if (polling?.rests_until) told.push("the provider does not answer well");
  if (care?.unreachable) told.push("our URL cannot be reached");
  const topics = care?.topics ?? [];
  for (const each of ["bad", "warn"]) {
    for (const topic of topics) if (tone(topic) === each) told.push(`${topic.topic} ${topic.state}`);
  }
  const failed = worst(care)?.at_least ?? 0;
  if (failed > 0) told.push(`at least ${failed} undeliverable`);
  const isBad = alarms.some((alarm) => alarm.urgency !== "ticket") || polling?.stopped;
  return {
    account,
    told,
    rank: isBad ? BAD : told.length ? LOOK : WELL,
    text: [account.name, account.provider, ...told].join(" ").toLowerCase(),
  };
}

function row({ account, told, rank }, isOpen, now) {
  const { care, polling, name } = account;
  const budget = worst(care);
  return h(
    "li",
    { "data-key": name },
    h(
      "details",
      { "data-account": name, open: isOpen },
      h(
        "summary",
        null,
        badge(...(polling || rank !== WELL ? BADGES[rank] : ["plain", "not here"])),
        h("span", { class: "name" }, name, h("span", { class: "hint" }, ` ${account.provider}`)),
        cell("webhooks", care && proven(care)),
        cell("failure budget", budget && `at least ${budget.at_least} of ${budget.most}`),
        cell("last webhook", care && when(latest(care), now)),
        cell("provider answered", polling && when(polling.last_answer_at, now)),
        cell("calls", polling && `${polling.calls_used} of ${polling.calls_allowed} in ${polling.calls_per}`),
        told.length > 0 && h("span", { class: "told" }, told.slice(0, 3).join(" · "), told.length > 3 && " …"),
      ),
      isOpen && h("div", { class: "full" }, full(account, now)),
    ),
  );
}

function cell(label, value) {
  return h("span", { class: value ? "cell" : "cell nothing" }, h("span", { class: "label" }, label), " ", value ?? "–");
}

function proven(care) {
  const count = care.topics.filter((topic) => topic.state === "proven").length;
  return `${count} of ${care.topics.length} proven`;
}

function latest(care) {
  return care.topics.map((topic) => topic.last_webhook_at ?? "").reduce((last, at) => (at > last ? at : last), "");
}
