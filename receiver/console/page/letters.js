// Dead letters, by reason, with what to do about each.

import { h } from "./nodes.js";
import { command, counted, number, when } from "./words.js";

/** Return the dead letters by reason, and the latest; `told` is the API's answer, or null. */
export function letters(told, problem, now) {
  return [
    problem && h("p", { class: "amiss" }, `They cannot be read: ${problem}`),
    told && (told.reasons.length ? reasons(told, now) : h("p", { class: "good" }, "There are none.")),
    told?.dead_letters.length > 0 && latest(told, now),
    !told && !problem && h("p", null, "They are being read …"),
    h("button", { type: "button", "data-action": "letters" }, "Read them again"),
  ];
}

function reasons(told, now) {
  return h(
    "ul",
    { class: "cards" },
    told.reasons.map((each) =>
      h(
        "li",
        { class: "card plain", "data-key": each.reason },
        h("h3", null, h("span", { class: "code" }, each.reason), h("span", null, counted(each.letters, "letter")), last(each, now)),
        h("p", { class: "why" }, each.means),
        h("p", { class: "remedy" }, h("strong", null, "What to do: "), each.what_to_do),
        h(
          "p",
          { class: "commands" },
          command("payevents", "dead-letters", "list", "--reason", each.reason),
          command("payevents", "dead-letters", "redrive", "--reason", each.reason, "--dry-run"),
        ),
      ),
    ),
  );
}

function last(told, now) {
  return h("span", { class: "since" }, "last came ", when(told.last_at, now));
}

function latest(told, now) {
  const shown = [...told.dead_letters].reverse();
  const all = shown.length + told.more;
  return h(
    "details",
    { "data-key": "latest" },
    h("summary", null, `The latest ${number(shown.length)} of ${number(all)}`),
    h("ul", { class: "letters" }, shown.map((letter) => one(letter, now))),
  );
}

function one(letter, now) {
  return h(
    "li",
    { "data-key": letter.id },
    h(
      "p",
      null,
      h("strong", null, letter.account || "(no account)"),
      ` ${letter.origin} ${letter.topic} `,
      h("span", { class: "code" }, letter.reason),
      letter.count > 1 && ` ${counted(letter.count, "time")}`,
      ", ",
      when(letter.last_at, now),
    ),
    h("p", { class: "why" }, letter.detail),
    h("p", null, command("payevents", "dead-letters", "show", letter.id)),
  );
}
