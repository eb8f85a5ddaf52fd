// The dashboard: asks the Worker for the figures of a range, and draws them.

import { draw, share } from "./chart.js";
import { count, dollars, duration, element, percent } from "./format.js";
import { follow } from "./live.js";

const REFRESH = 30_000;
const at = (id) => document.getElementById(id);
let overview = null;
let asked = 0;

async function ask(path) {
  const response = await fetch(path, { headers: { accept: "application/json" } });
  // The session is over: the page itself asks for the token.
  if (response.status === 401) location.reload();
  const body = await response.json();
  if (!response.ok) throw new Error(body.error);
  return body;
}

const range = () => document.querySelector("input[name=range]:checked").value;

async function refresh() {
  const mine = (asked += 1);
  try {
    const fresh = await ask(`/dashboard/api/overview?range=${range()}`);
    if (mine !== asked) return;
    overview = fresh;
    say(fresh.partial ? "More than 20,000 requests in this hour: the figures are those of the newest 20,000." : "");
    show();
  } catch (error) {
    say(error.message);
  }
}

function say(text) {
  at("notice").textContent = text;
  at("notice").hidden = text === "";
}

function show() {
  if (!overview) return;
  figures(overview);
  charts(overview);
  tables(overview);
}

function figures({ totals, saved_ms: savedMs }) {
  const figure = (name, value, note) =>
    element("article", "card figure", element("h3", "", name), element("p", "", value), element("small", "", note));
  at("figures").replaceChildren(
    figure("Requests", count(totals.requests), `${count(totals.attempts)} calls to providers`),
    figure("Cost", dollars(totals.cost_nano_dollars), totals.unpriced ? `${count(totals.unpriced)} without a known price` : "every price known"),
    figure("Tokens", count(totals.input_tokens + totals.output_tokens), `${count(totals.input_tokens)} in, ${count(totals.output_tokens)} out`),
    figure("Failed", percent(totals.errors, totals.requests), `${count(totals.errors)} of ${count(totals.requests)} requests`),
    figure("Latency p95", duration(totals.duration_ms.p95), `p50 ${duration(totals.duration_ms.p50)}, p99 ${duration(totals.duration_ms.p99)}`),
    figure("Saved by the cache", dollars(totals.saved_nano_dollars), `${percent(totals.hits, totals.requests)} hits, about ${duration(savedMs)} of waiting`),
  );
}

function charts({ series, step, totals }) {
  const chart = (id, layers, format, summary) => draw(at(id), { points: series, step, layers, format, summary });
  chart(
    "chart-requests",
    [
      { name: "answered", color: "good", kind: "bar", value: (point) => point.requests - point.errors - point.hits },
      { name: "from the cache", color: "hit", kind: "bar", value: (point) => point.hits },
      { name: "failed", color: "bad", kind: "bar", value: (point) => point.errors },
    ],
    count,
    `Requests over time: ${totals.requests} in all, ${totals.hits} from the cache, ${totals.errors} failed`,
  );
  const quantiles = (field) => [
    { name: "p50", color: "good", kind: "line", value: (point) => point[field].p50 },
    { name: "p95", color: "warm", kind: "line", value: (point) => point[field].p95 },
    { name: "p99", color: "bad", kind: "line", value: (point) => point[field].p99 },
  ];
  const spoken = ({ p50, p95, p99 }) => `median ${duration(p50)}, 95th percentile ${duration(p95)}, 99th ${duration(p99)}`;
  chart("chart-latency", quantiles("duration_ms"), duration, `Latency over time: ${spoken(totals.duration_ms)}`);
  chart("chart-first", quantiles("first_token_ms"), duration, `Time to first token: ${spoken(totals.first_token_ms)}`);
  chart(
    "chart-cost",
    [{ name: "spent", color: "accent", kind: "area", value: (point) => point.cost_nano_dollars },
     { name: "saved", color: "hit", kind: "area", value: (point) => point.saved_nano_dollars }],
    dollars,
    `Cost over time: ${dollars(totals.cost_nano_dollars)} in all`,
  );
  chart(
    "chart-tokens",
    [{ name: "input", color: "violet", kind: "bar", value: (point) => point.input_tokens },
     { name: "output", color: "warm", kind: "bar", value: (point) => point.output_tokens }],
    count,
    `Tokens over time: ${totals.input_tokens} in, ${totals.output_tokens} out`,
  );
}

function tables({ providers, errors, models, tenants, keys, totals }) {
  const requests = ["Requests", (row) => count(row.requests), true];
  const failed = ["Failed", (row) => percent(row.errors, row.requests), true];
  const p95 = ["p95", (row) => duration(row.duration_ms.p95), true];
  const tokens = ["Tokens", (row) => count(row.input_tokens + row.output_tokens), true];
  const cost = ["Cost", (row) => dollars(row.cost_nano_dollars), true];
  const named = (title, name) => [title, (row) => [name(row), share(row.requests, totals.requests)], false];
  table("table-providers", providers, [
    named("Provider", (row) => row.provider), requests, failed, ["p50", (row) => duration(row.duration_ms.p50), true], p95,
    ["p99", (row) => duration(row.duration_ms.p99), true], cost,
  ]);
  table("table-errors", errors, [
    ["Provider", (row) => row.provider || "the gateway", false],
    ["Kind", (row) => row.kind.replaceAll("_", " "), false], requests,
  ], "Nothing has failed.");
  table("table-models", models, [named("Model", (row) => `${row.provider} · ${row.model}`), requests, failed, tokens, cost]);
  table("table-tenants", tenants, [named("Tenant", (row) => row.tenant), requests, failed, tokens, cost]);
  at("table-keys").closest("article").hidden = keys.length === 0;
  table("table-keys", keys, [named("Key", (row) => row.key), requests, failed, tokens, cost]);
}

function table(id, rows, columns, empty = "Nothing in this range.") {
  if (rows.length === 0) return at(id).replaceChildren(element("p", "empty", empty));
  const heads = columns.map(([title, , number]) => {
    const head = element("th", number ? "n" : "", title);
    head.scope = "col";
    return head;
  });
  const cells = (row) => columns.map(([, value, number]) => element("td", number ? "n" : "name", ...[value(row)].flat()));
  const body = rows.map((row) => element("tr", "", ...cells(row)));
  at(id).replaceChildren(element("table", "", element("thead", "", element("tr", "", ...heads)), element("tbody", "", ...body)));
}

at("ranges").addEventListener("change", refresh);
let resized;
addEventListener("resize", () => {
  cancelAnimationFrame(resized);
  resized = requestAnimationFrame(show);
});
setInterval(() => !document.hidden && refresh(), REFRESH);
refresh();
follow({ container: at("live"), state: at("live-state"), pause: at("live-pause"), ask, changed: refresh });
