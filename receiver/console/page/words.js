// Times, numbers and commands as people read them.

import { h } from "./nodes.js";

const UNITS = [
  [86400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
];
const SIZES = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Return a number with its thousands apart. */
export function number(count) {
  return typeof count === "number" ? count.toLocaleString("en") : "?";
}

/** Return a count with what is counted. */
export function counted(count, one, many = `${one}s`) {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/** Return a length of time, to its two largest units at most. */
export function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const first = UNITS.findIndex(([length]) => whole >= length);
  if (first === -1) return "0 s";
  const [length, unit] = UNITS[first];
  const count = Math.floor(whole / length);
  if (first + 1 === UNITS.length || count >= 10) return `${count} ${unit}`;
  const [next, smaller] = UNITS[first + 1];
  const rest = Math.floor((whole % length) / next);
  return rest ? `${count} ${unit} ${rest} ${smaller}` : `${count} ${unit}`;
}

/** Return when something was, or will be, seen from `now` (both in milliseconds since 1970). */
export function when(text, now) {
  const at = Date.parse(text ?? "");
  // Nothing here is older: what claims to be was never dated.
  if (!(at > 0)) return h("span", { class: "none" }, "never");
  const seconds = (now - at) / 1000;
  const told = Math.abs(seconds) < 1.5 ? "just now" : seconds > 0 ? `${span(seconds)} ago` : `in ${span(-seconds)}`;
  return h("time", { datetime: text, title: text }, told);
}

/** Return a size in bytes. */
export function size(bytes) {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < SIZES.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value >= 10 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${SIZES[unit]}`;
}

/** Return a command to be run; words that a shell could read otherwise are quoted. */
export function command(...words) {
  const quoted = words.map((word) =>
    /^[\w./:@-]+$/.test(word) ? word : `'${String(word).replaceAll("'", String.raw`'\''`)}'`,
  );
  return h("code", { class: "command", translate: "no" }, quoted.join(" "));
}

/** Return a word in a coloured frame; `tone` is good, warn, bad or plain. */
export function badge(tone, word) {
  return h("span", { class: `badge ${tone}` }, word);
}

/** Return a bar that says how much of something is used. */
export function bar(value, most, label) {
  const share = most > 0 ? value / most : 0;
  const tone = share >= 0.75 ? "bad" : share >= 0.25 ? "warn" : "good";
  return h("meter", { class: tone, min: 0, max: most, value, "aria-label": label });
}

/** Return terms and what they are: pairs, of which those without a value are left out. */
export function terms(...pairs) {
  return h(
    "dl",
    { class: "terms" },
    pairs
      .filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false)
      .map(([term, value]) => h("div", null, h("dt", null, term), h("dd", null, value))),
  );
}
