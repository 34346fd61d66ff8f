// The page's life: ask, show, and ask again; say loudly when nobody answers.

import * as accounts from "./accounts.js";
import { cards, sorted } from "./alarms.js";
import { ask, Gone, Refused, token } from "./asking.js";
import { overall, parts, unwell } from "./health.js";
import { letters } from "./letters.js";
import { machine } from "./machine.js";
import { h, show } from "./nodes.js";
import { badge, counted, span, when } from "./words.js";

const EVERY = 5_000;
const HIDDEN_EVERY = 30_000;
const GONE_EVERY = 2_000;
const LETTERS_EVERY = 60_000;
const LETTERS_SHOWN = 50;
const LETTERS_PATIENCE = 60_000;

const LISTS = ["accounts", "alarms", "shards"];
const FOREIGN = "what answered is not payevents, or another version: load the page again";

const at = (id) => document.getElementById(id);

const known = {
  status: null,
  alarms: [],
  health: null,
  letters: null,
  lettersProblem: "",
  lettersAt: -Infinity,
  refused: "",
  problem: "",
  heardAt: null,
  heardClock: "",
  ahead: 0,
};
const wanted = { filter: "", onlyTrouble: false, pages: 1, opened: new Set(), allAlarms: false };

let asking = null;
let timer = 0;

/** Ask for everything anew, whatever was being asked. */
async function renew() {
  asking?.abort();
  clearTimeout(timer);
  const mine = new AbortController();
  asking = mine;
  try {
    await learn(mine.signal);
    known.problem = "";
  } catch (error) {
    if (mine.signal.aborted) return;
    known.problem = problem(error);
  }
  if (mine !== asking) return;
  renderSafely();
  timer = setTimeout(renew, known.problem ? GONE_EVERY : document.hidden ? HIDDEN_EVERY : EVERY);
}

/** Whatever cannot be shown is told, and asked for again: nobody may take what is old for new. */
function renderSafely() {
  try {
    render();
  } catch (error) {
    known.problem = problem(error);
    renderFreshness();
  }
}

async function learn(signal) {
  const given = token.get();
  try {
    const { data, now } = await ask("v1/status", signal);
    if (!LISTS.every((each) => Array.isArray(data[each])) || !data.health?.parts) throw new Gone(FOREIGN);
    known.status = data;
    known.alarms = sorted(data.alarms);
    known.health = data.health;
    known.refused = "";
    heard(now);
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 401) throw error;
    if (given !== null) {
      known.refused = "The service refused this token: it is wrong.";
      token.forget();
    }
    known.status = known.letters = null;
    known.alarms = [];
    known.lettersAt = -Infinity;
    // Whether it is well anyone may know.
    const { data, now } = await ask("readyz", signal);
    if (!data.parts) throw new Gone(FOREIGN);
    known.health = data;
    heard(now);
    return;
  }
  // A tab that nobody looks at must not have a whole topic read again and again.
  if (!document.hidden && performance.now() - known.lettersAt >= LETTERS_EVERY) learnLetters();
}

/** Each reading goes through a whole topic: they are asked for seldom, and nothing waits for them. */
async function learnLetters() {
  known.lettersAt = performance.now();
  try {
    const { data } = await ask(`v1/dead-letters?limit=${LETTERS_SHOWN}`, undefined, LETTERS_PATIENCE);
    known.letters = data;
    known.lettersProblem = "";
  } catch (error) {
    known.lettersProblem = problem(error);
  }
  renderSafely();
}

function heard(now) {
  known.ahead = now - Date.now();
  known.heardAt = performance.now();
  known.heardClock = new Date().toLocaleTimeString();
}

function problem(error) {
  if (error instanceof Gone) return `The service does not answer (${error.message}).`;
  if (error instanceof Refused) return `The service refuses (${error.status}): ${error.message}`;
  return `This page failed: ${error.message}`;
}

function render() {
  const now = Date.now() + known.ahead;
  const { status, health } = known;
  const isSigningIn = at("sign-in").contains(document.activeElement);
  at("sign-in").hidden = status !== null || known.health === null;
  at("sign-out").hidden = token.get() === null;
  show(at("refused"), known.refused);
  for (const [id, isThere] of [
    ["parts", health],
    ["alarms", status],
    ["accounts", status],
    ["letters", status],
    ["machine", status],
  ]) {
    at(`${id}-section`).hidden = !isThere;
  }
  // What had the focus is gone: whoever uses no mouse goes on with what matters most.
  if (status && isSigningIn) at("alarms-title").focus();
  renderFreshness();
  if (health) show(at("parts"), parts(health));
  if (!status) return;
  show(at("alarms"), known.alarms.length ? cards(known.alarms, wanted.allAlarms, now) : noAlarm(health));
  renderAccounts(now);
  show(at("letters"), letters(known.letters, known.lettersProblem, now));
  show(at("machine"), machine(status, now));
  show(at("about"), `version ${status.version}, started `, when(status.started_at, now), `, at ${location.host}`);
}

function renderAccounts(now) {
  const all = accounts.judged(known.status.accounts, known.status.alarms);
  const shown = accounts.sifted(all, wanted.filter, wanted.onlyTrouble);
  show(at("found"), accounts.found(shown, all));
  show(at("accounts"), accounts.rows(shown, wanted.pages, wanted.opened, now));
}

function noAlarm(health) {
  const silent = (known.status.workers ?? []).filter((worker) => worker.started_at === null);
  if (silent.length) {
    const numbers = silent.map((worker) => worker.worker).join(", ");
    return h("p", { class: "amiss" }, `Worker ${numbers} tells nothing: alarms, accounts and shards of it are missing here.`);
  }
  const count = unwell(health);
  return count
    ? h("p", { class: "amiss" }, `There is no alarm, but ${counted(count, "part is", "parts are")} not well: see below.`)
    : h("p", { class: "good" }, "Nothing is wrong.");
}

/** Say how old all this is, and if it is old why. */
function renderFreshness() {
  const age = known.heardAt === null ? null : (performance.now() - known.heardAt) / 1000;
  document.body.classList.toggle("stale", Boolean(known.problem));
  // What is read out when it changes must not hold what changes every second.
  show(at("problem"), known.problem);
  if (known.problem) {
    show(at("overall"), badge("bad", "no answer"));
    show(at("age"), age === null ? "" : `What you see is ${span(age)} old, of ${known.heardClock}.`);
  } else {
    show(at("age"));
    if (known.health) show(at("overall"), overall(known.health));
  }
  show(at("freshness"), age === null ? "asking …" : `as of ${span(age)} ago`);
  const count = known.alarms.length;
  document.title = `${known.problem ? "✖ no answer: " : count ? `(${count}) ` : ""}payevents`;
}

function signIn(event) {
  event.preventDefault();
  token.set(at("token").value.trim());
  at("token").value = "";
  known.refused = "";
  renew();
}

function signOut() {
  token.forget();
  location.reload();
}

/** Buttons that come and go with what is shown say by themselves what they do. */
function act(event) {
  const { action } = event.target.closest("[data-action]")?.dataset ?? {};
  if (!action) return;
  if (action === "all-alarms") wanted.allAlarms = true;
  if (action === "more-accounts") wanted.pages += 1;
  if (action === "letters") learnLetters();
  render();
}

function opened(event) {
  const { account } = event.target.dataset;
  if (account === undefined) return;
  if (event.target.open) wanted.opened.add(account);
  else wanted.opened.delete(account);
  render();
}

function sift() {
  wanted.filter = at("filter").value;
  wanted.onlyTrouble = at("only-trouble").checked;
  wanted.pages = 1;
  render();
}

at("sign-in").addEventListener("submit", signIn);
at("sign-out").addEventListener("click", signOut);
at("filter").addEventListener("input", sift);
at("only-trouble").addEventListener("change", sift);
document.addEventListener("click", act);
document.addEventListener("toggle", opened, true);
document.addEventListener("visibilitychange", () => document.hidden || renew());
setInterval(renderFreshness, 1_000);
renew();
