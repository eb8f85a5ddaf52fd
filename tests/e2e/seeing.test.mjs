// What is seen of a request afterwards: traces, records in every place, metrics, captures; and that nothing is lost.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startGateway } from "./support/gateway.mjs";
import { chat, seen, unique } from "./support/local.mjs";

const TOKEN = "a-token-for-tests";
const QUEUES = {
  queues: {
    producers: [{ binding: "USAGE_QUEUE", queue: "usage" }],
    consumers: [{ queue: "usage", max_batch_size: 10, max_batch_timeout: 1 }],
  },
};
const BUCKET = { r2_buckets: [{ binding: "USAGE_BUCKET", bucket_name: "usage" }] };

const body = (more) => ({ model: "openai/gpt-4o-mini", messages: [{ role: "user", content: unique() }], ...more });
const lines = (objects) => objects.flatMap((object) => object.trim().split("\n")).map((line) => JSON.parse(line));

async function withGateway(vars, bindings, use) {
  const gateway = await startGateway(vars, bindings);
  try {
    await use(gateway);
  } finally {
    await gateway.stop();
  }
}

/** Runs a program of `support/` on what it reads, and gives what it prints. */
function checked(program, input, ...parameters) {
  const path = fileURLToPath(new URL(`./support/${program}`, import.meta.url));
  return JSON.parse(execFileSync(process.env.PYTHON, [path, ...parameters], { input, encoding: "utf8" }));
}

/** Takes what an exporter sends, and keeps it. */
async function startCollector() {
  const got = [];
  const server = createServer(async (request, response) => {
    const text = (await request.toArray()).join("");
    got.push({ path: request.url, headers: request.headers, body: JSON.parse(text) });
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { got, url: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}

test("a trace goes through: from the client, into the record, to the provider that may know", () =>
  withGateway({ TRACE_TO: "openai" }, {}, async ({ url, records }) => {
    const trace = randomBytes(16).toString("hex");
    const parent = randomBytes(8).toString("hex");
    const content = unique();
    const headers = { traceparent: `00-${trace}-${parent}-01`, tracestate: "rojo=00f067aa0ba902b7" };
    const response = await chat(url, body({ messages: [{ role: "user", content }] }), { headers });
    const [, answered, span] = response.headers.get("traceresponse").split("-");
    assert.equal(answered, trace);
    const [row] = await records(1);
    assert.deepEqual([row.trace_id, row.span_id, row.parent_span_id], [trace, span, parent]);
    const [attempt] = JSON.parse(row.attempts);
    assert.ok(attempt.start >= row.time_ms * 1e6);
    const [call] = await seen(content);
    assert.equal(call.headers.traceparent, `00-${trace}-${attempt.span_id}-01`);
    assert.equal(call.headers.tracestate, "rojo=00f067aa0ba902b7");

    const other = await chat(url, body({ model: "anthropic/claude-haiku-4-5", messages: [{ role: "user", content: `${content} again` }] }), { headers });
    assert.equal(other.status, 200);
    const [untold] = await seen(`${content} again`);
    assert.equal(untold.headers.traceparent, undefined);

    const theirs = { "cf-aig-otel-trace-id": trace, "cf-aig-otel-parent-span-id": parent };
    const cloudflares = await chat(url, body(), { headers: theirs });
    assert.equal(cloudflares.headers.get("traceresponse").split("-")[1], trace);
    const odd = await chat(url, body(), { headers: { traceparent: "00-nonsense" } });
    assert.equal(odd.status, 200);
    assert.notEqual(odd.headers.get("traceresponse").split("-")[1], trace);
  }));

test("every place has every request: D1, R2, Analytics Engine, and a collector that reads OTLP", async () => {
  const collector = await startCollector();
  const vars = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_HEADERS: "x-key=a%20b", OTEL_SERVICE_NAME: "tested" };
  const bindings = { ...BUCKET, analytics_engine_datasets: [{ binding: "ANALYTICS", dataset: "usage" }] };
  await withGateway(vars, bindings, async ({ url, records, objects, log }) => {
    const asked = body();
    const ids = [];
    for (const request of [asked, asked, body({ stream: true }), body({ messages: [] }), body({ model: "openai/nothing-of-the-kind" })]) {
      const response = await chat(url, request);
      await response.text();
      ids.push(response.headers.get("cf-aig-log-id"));
    }
    const rows = await records(ids.length);
    assert.deepEqual(rows.map(({ request_id }) => request_id).sort(), [...ids].sort());
    const hit = rows.find(({ cache }) => cache === "hit");
    const paid = rows.find(({ request_id }) => request_id === ids[0]);
    assert.equal(hit.saved_nano_dollars, paid.cost_nano_dollars);
    assert.deepEqual(lines(await objects(ids.length)).map(({ request_id }) => request_id).sort(), [...ids].sort());

    for (let tries = 0; collector.got.length < 2 * ids.length && tries < 100; tries += 1) await sleep(50);
    assert.ok(collector.got.every(({ headers }) => headers["x-key"] === "a b"));
    const { spans, points } = checked("check_otlp.py", JSON.stringify(collector.got));
    // A request each, the calls, and the cache's answer.
    const calls = rows.flatMap(({ attempts }) => JSON.parse(attempts)).length;
    assert.equal(spans, ids.length + calls + 1);
    assert.ok(points >= ids.length);
    const traces = JSON.stringify(collector.got);
    for (const name of ["gen_ai.provider.name", "gen_ai.usage.input_tokens", "gen_ai.client.operation.duration", "tested"]) {
      assert.ok(traces.includes(name), name);
    }
    assert.ok(!traces.includes(asked.messages[0].content));
    assert.deepEqual(log.filter((line) => line.includes("was not kept")), []);
  });
  collector.stop();
});

test("a queue delivers every record, in batches", () =>
  withGateway({ USAGE_BY_QUEUE: "true" }, { ...QUEUES, ...BUCKET }, async ({ url, records, objects }) => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => chat(url, body())));
    const ids = answers.map((answer) => answer.headers.get("x-request-id")).sort();
    assert.deepEqual((await records(12)).map(({ request_id }) => request_id).sort(), ids);
    // The consumer writes to R2 after D1.
    for (let tries = 0; lines(await objects(1)).length < 12 && tries < 100; tries += 1) await sleep(50);
    const kept = await objects(1);
    assert.deepEqual([...new Set(lines(kept).map(({ request_id }) => request_id))].sort(), ids);
    assert.ok(kept.length < 12, `${kept.length} objects`);
  }));

test("a record that no place takes is in the log, whole", () => {
  const database = { binding: "DB", database_name: "empty", database_id: "empty", migrations_dir: "no-migrations" };
  return withGateway({}, { d1_databases: [database] }, async ({ url, log }) => {
    const response = await chat(url, body());
    assert.equal(response.status, 200);
    const id = response.headers.get("x-request-id");
    const found = () => log.filter((line) => line.includes(id));
    for (let tries = 0; found().length < 3 && tries < 100; tries += 1) await sleep(50);
    const failure = found().find((line) => line.includes("was not kept"));
    assert.match(failure, /migrations apply/);
    const records = found().filter((line) => line.includes("{"));
    assert.ok(records.some((line) => JSON.parse(line.slice(line.indexOf("{"))).request_id === id));
  });
});

test("Prometheus reads the metrics, and they are what D1 has", () =>
  withGateway({ METRICS_TOKEN: TOKEN }, {}, async ({ url, records }) => {
    await chat(url, body());
    await (await chat(url, body({ stream: true }))).text();
    await chat(url, body({ messages: [] }));
    await chat(url, body({ model: 'openai/made-up"\\' }));
    const rows = await records(4);
    assert.equal((await fetch(`${url}/metrics`)).status, 401);
    assert.equal((await fetch(`${url}/metrics`, { headers: { authorization: "Bearer a-token-for-test5" } })).status, 401);
    for (const [format, accept, type] of [
      ["text", "text/plain", /^text\/plain; version=0\.0\.4/],
      ["openmetrics", "application/openmetrics-text; version=1.0.0", /^application\/openmetrics-text; version=1\.0\.0/],
    ]) {
      const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}`, accept } });
      assert.equal(response.status, 200);
      assert.match(response.headers.get("content-type"), type);
      const samples = checked("check_metrics.py", await response.text(), format);
      const total = (wanted) => samples.filter(([name]) => name === wanted).reduce((sum, [, , value]) => sum + value, 0);
      const sum = (column) => rows.reduce((sum, row) => sum + (row[column] ?? 0), 0);
      assert.equal(total("edge_ai_requests_total"), 4);
      assert.equal(total("gen_ai_client_inference_usage_input_tokens_total"), sum("input_tokens"));
      assert.equal(Math.round(total("edge_ai_cost_dollars_total") * 1e9), sum("cost_nano_dollars"));
      assert.equal(total("gen_ai_client_inference_duration_seconds_count"), 4);
      assert.equal(total("gen_ai_client_inference_time_to_first_chunk_seconds_count"), 1);
      assert.ok(samples.some(([, labels]) => labels.gen_ai_response_model === "_other" && labels.error_type));
    }
  }));

test("content is kept only where it may be", () => {
  const bindings = { r2_buckets: [{ binding: "CAPTURE_BUCKET", bucket_name: "captures" }] };
  return withGateway({}, bindings, async ({ url, objects, records }) => {
    const secret = unique("not to be kept");
    const headers = { "cf-aig-collect-log": "false" };
    assert.equal((await chat(url, body({ messages: [{ role: "user", content: secret }] }), { headers })).status, 200);
    const content = unique("to be kept");
    const answer = await (await chat(url, body({ messages: [{ role: "user", content }] }))).json();
    await (await chat(url, body({ stream: true }))).text();
    assert.equal((await records(3)).length, 3);
    const kept = (await objects(2)).map((text) => JSON.parse(text));
    assert.equal(kept.length, 2);
    const whole = kept.find(({ request }) => request.includes(content));
    assert.equal(JSON.parse(whole.answer).choices[0].message.content, answer.choices[0].message.content);
    assert.ok(kept.every(({ answer, request }) => answer.length > 0 && !request.includes(secret)));
    assert.equal((await chat(url, body(), { headers: { "cf-aig-collect-log": "perhaps" } })).status, 400);
  });
});

test("a client that leaves is charged for what was written until then", () =>
  withGateway({}, {}, async ({ url, records }) => {
    const leaving = new AbortController();
    const content = unique("Tell a long story about bears and foxes. [[fault: hang-after=5]]");
    const response = await chat(url, body({ stream: true, messages: [{ role: "user", content }] }), { signal: leaving.signal });
    await response.body.getReader().read();
    leaving.abort();
    const [row] = await records(1);
    assert.equal(row.outcome, "cancelled");
    assert.equal(row.usage_estimated, 1);
    assert.ok(row.input_tokens > 10 && row.output_tokens > 0 && row.cost_nano_dollars > 0, JSON.stringify(row));
  }));

test("a wrong setting of what sees is told by name", async () => {
  for (const [vars, what] of [
    [{ METRICS_TOKEN: "short" }, /METRICS_TOKEN/],
    [{ DASHBOARD_TOKEN: "" }, /DASHBOARD_TOKEN/],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" }, /OTEL_EXPORTER_OTLP_ENDPOINT/],
    [{ OTEL_TRACES_SAMPLER_ARG: "often" }, /OTEL_TRACES_SAMPLER_ARG/],
    [{ USAGE_BY_QUEUE: "yes" }, /USAGE_BY_QUEUE/],
  ]) {
    await withGateway(vars, {}, async ({ url }) => {
      const response = await chat(url, body());
      assert.equal(response.status, 500);
      assert.match((await response.json()).error.message, what);
    });
  }
});
