// The machine: what waits on disk, the shards, and the workers where there are several.

import { h } from "./nodes.js";
import { badge, bar, counted, size, terms, when } from "./words.js";

const ROLES = { route: "Router", poll: "Poller" };
const AT_FIRST = 12;

/** Return all of it. */
export function machine(status, now) {
  return [
    spool(status),
    [...new Set(status.shards.map((shard) => shard.role))].map((role) =>
      shards(role, status.shards.filter((shard) => shard.role === role)),
    ),
    status.shards.length === 0 && h("p", { class: "hint", "data-key": "no shard" }, "This process has no shard just now."),
    status.workers && workers(status.workers, now),
  ];
}

function spool({ spool: told, inbox }) {
  return h(
    "div",
    { "data-key": "spool" },
    terms(
      ["Inbox", inbox.available ? "takes observations" : `takes none: ${inbox.problem || "not yet"}`],
      ["On disk for Kafka", told ? counted(told.observations, "webhook") : "this process receives none"],
      told && [
        "Spool",
        [`${size(told.bytes)} of ${size(told.max_bytes)} `, bar(told.bytes, told.max_bytes, "spool used")],
      ],
    ),
    told?.problem && h("p", { class: "amiss" }, `The spool takes nothing: ${told.problem}`),
  );
}

function shards(role, all) {
  const amiss = all.filter((shard) => shard.state !== "running" || shard.problem);
  const lag = all.reduce((sum, shard) => sum + (shard.lag ?? 0), 0);
  const running = all.filter((shard) => shard.state === "running").length;
  return h(
    "div",
    { "data-key": `shards ${role}` },
    h("h3", null, ROLES[role] ?? role, badge(amiss.length ? "warn" : "good", `${running} of ${all.length} running`)),
    h("p", null, waits(lag), all.some((shard) => shard.lag === null) && "; what waits for those not restored is not known yet"),
    amiss.length > 0 && list(amiss.slice(0, AT_FIRST)),
    h(
      "details",
      null,
      h("summary", null, `All ${counted(all.length, "shard")}`),
      list(all),
    ),
  );
}

function waits(lag) {
  return lag ? `${counted(lag, "record")} wait${lag === 1 ? "s" : ""}` : "nothing waits";
}

function list(shown) {
  return h(
    "ul",
    { class: "shards" },
    shown.map((shard) =>
      h(
        "li",
        { "data-key": `${shard.partition} ${shard.worker ?? ""}` },
        `partition ${shard.partition} `,
        badge(shard.state === "running" ? "good" : "warn", shard.state),
        shard.lag === null ? " not restored yet" : ` restored, ${waits(shard.lag)}`,
        shard.worker !== undefined && `, worker ${shard.worker}`,
        shard.problem && h("p", { class: "amiss" }, shard.problem),
      ),
    ),
  );
}

function workers(all, now) {
  return h(
    "div",
    { "data-key": "workers" },
    h("h3", null, "Workers"),
    h(
      "ul",
      { class: "shards" },
      all.map((worker) =>
        h(
          "li",
          { "data-key": worker.worker },
          `worker ${worker.worker} `,
          badge(worker.state === "serving" ? "good" : "bad", worker.state),
          ` process ${worker.pid ?? "–"}, ${counted(worker.restarts, "restart")}, started `,
          when(worker.started_at, now),
          worker.why && h("p", { class: "amiss" }, worker.why),
        ),
      ),
    ),
  );
}
