// One account in full: how its provider is asked, and how the webhooks of each topic fare.

import { h } from "./nodes.js";
import { badge, bar, command, counted, terms, when } from "./words.js";

/** What each state of a topic's registration means, and how good it is. */
const STATES = {
  proven: ["good", "Registered to lead here; what our own call caused has arrived."],
  awaited: ["plain", "Registered; what our own call causes is yet to arrive."],
  unproven: ["warn", "Leads here as the provider says, but nothing that we caused has arrived."],
  suspected: ["bad", "Leads here, and is probably switched off: what it should have announced was found otherwise."],
  missing: ["bad", "Not registered: nothing of this topic is sent here."],
  elsewhere: ["bad", "It is ours, and leads to another URL."],
  taken: ["bad", "Another has it: it leads to another URL."],
  unknown: ["plain", "The provider was not asked yet."],
};

const TONES = ["bad", "warn", "plain", "good"];

/** Where to look, by the first word of a refusal's reason. */
const REASONS = {
  200: "after http.answer_within: the provider had given up",
  400: "by the sender, or on its way",
  401: "a wrong key, or somebody who forges",
  408: "longer than http.body_timeout",
  413: "larger than http.max_body",
  415: "a proxy on the way may add it",
  503: "look at Kafka, the spool and the load",
  no: "the sender was gone",
};

/** Return how good a topic's state is. */
export function tone(topic) {
  return STATES[topic.state]?.[0] ?? "warn";
}

/** Return the worst failure budget of an account's topics; null if it has none. */
export function worst(care) {
  const budgets = (care?.topics ?? []).map((topic) => topic.undeliverable);
  return budgets.reduce((most, one) => (most === null || one.at_least > most.at_least ? one : most), null);
}

/** Return everything that is known of an account. */
export function full(account, now) {
  const { care, polling } = account;
  return [
    !polling && h("p", { class: "hint" }, "Another process polls this account: it knows how it fares."),
    polling && asked(polling, now),
    care && registration(care, now),
    care && h("ul", { class: "topics" }, worstFirst(care.topics).map((topic) => one(topic, care, now))),
    terms(
      ["Where its settings are", account.from_accounts_dir ? "a file of accounts_dir" : "the configuration"],
      ["Polled by", account.worker === undefined ? null : `worker ${account.worker}`],
      ["To look closer", command("payevents", "doctor", "--account", account.name)],
    ),
  ];
}

function worstFirst(topics) {
  const rank = (topic) => [TONES.indexOf(tone(topic)), -topic.undeliverable.at_least];
  return [...topics].sort((one, other) => {
    const [[first, second], [third, fourth]] = [rank(one), rank(other)];
    return first - third || second - fourth;
  });
}

function asked(polling, now) {
  return [
    polling.stopped && h("p", { class: "amiss" }, `Calls have stopped: ${polling.stopped}`),
    terms(
      ["Provider last answered well", when(polling.last_answer_at, now)],
      [
        "Calls",
        [
          `${polling.calls_used} of ${polling.calls_allowed} in the last ${polling.calls_per} `,
          bar(polling.calls_used, polling.calls_allowed, "calls used"),
        ],
      ],
      [
        "Resting",
        polling.rests_until && [
          `after ${counted(polling.failures, "failure")} in a row; asked again `,
          when(polling.rests_until, now),
        ],
      ],
    ),
  ];
}

function registration(care, now) {
  return [
    care.unreachable && h("p", { class: "amiss" }, `Our own URL cannot be reached: ${care.unreachable}`),
    terms(
      ["Webhooks should lead to", care.url ?? "nowhere: set http.public_url to the URL that the provider can reach"],
      ["Registrations listed", when(care.listed_at, now)],
      ["Last reconciliation", when(care.last_reconciliation_at, now)],
    ),
  ];
}

function one(topic, care, now) {
  const [, means] = STATES[topic.state] ?? ["warn", "This page does not know the state."];
  return h(
    "li",
    { class: "topic", "data-key": topic.topic },
    h("h4", null, h("span", null, topic.topic), badge(tone(topic), topic.state)),
    h("p", null, means),
    topic.problem && h("p", { class: "amiss" }, `The last step failed: ${topic.problem}`),
    (topic.suspected_since || topic.missed > 0) &&
      h(
        "p",
        { class: "amiss" },
        topic.suspected_since && ["Suspected since ", when(topic.suspected_since, now), ". "],
        `${counted(topic.missed, "fact was", "facts were")} found that no webhook announced.`,
      ),
    terms(
      ["Last told something new", when(topic.last_webhook_at, now)],
      ["Proven", when(topic.proven_at, now)],
      ["Leads to", topic.url !== care.url && topic.url],
      ["Id", topic.id],
    ),
    budget(topic.undeliverable),
  );
}

function budget(told) {
  const title = `at least ${told.at_least} of ${told.most} undeliverable`;
  const reasons = Object.entries(told.reasons);
  return h(
    "div",
    { class: "budget" },
    h("p", null, bar(told.at_least, told.most, title), " ", h("strong", null, title)),
    told.at_least > 0 &&
      h(
        "p",
        null,
        `${told.in_a_row} since a webhook last told something new`,
        told.tries_of_one > 0 && `; ${counted(told.tries_of_one, "try", "tries")} of one notification`,
        `. At ${told.most} the provider switches the webhook off, and says nothing; it may count others than we saw.`,
      ),
    reasons.length > 0 &&
      h(
        "ul",
        { class: "reasons" },
        reasons.map(([reason, count]) => h("li", null, `${counted(count, "time")}: ${reason}`, explained(reason))),
      ),
    told.latest_requests.length > 0 &&
      h(
        "p",
        null,
        "Latest requests: ",
        h("code", null, told.latest_requests.join(", ")),
        h("span", { class: "hint" }, " – the request_id in the receivers' log"),
      ),
  );
}

function explained(reason) {
  const why = REASONS[reason.split(/[ ,]/, 1)[0]];
  return why && h("span", { class: "hint" }, ` – ${why}`);
}
