// Requests that are queued instead of awaited, on the real queue and Durable Objects.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { Webhook } from "standardwebhooks";
import { startWithQueue, until } from "./support/jobs.mjs";
import { events, fault, seen, unique } from "./support/local.mjs";

let gateway;
before(async () => {
  gateway = await startWithQueue({
    GATEWAY_KEYS: "acme:sk-acme-000001,globex:sk-globex-0001",
    WEBHOOK_SECRET: "0123456789abcdef0123456789abcdef",
    WEBHOOKS_TO_THIS_MACHINE: "true",
    JOB_LEASE_SECONDS: "3",
    GATEWAY_CONFIG: JSON.stringify({ cache: {} }),
  });
});
after(() => gateway.stop());

const KEY = "sk-acme-000001";

const call = (method, path, { key = KEY, headers = {}, body } = {}) =>
  fetch(`${gateway.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
    body: body && JSON.stringify(body),
  });

async function queue(body, { path = "/v1/chat/completions", headers = {} } = {}) {
  const response = await call("POST", path, { headers: { prefer: "respond-async", ...headers }, body });
  const job = await response.json();
  assert.equal(response.status, 202, JSON.stringify(job));
  assert.equal(response.headers.get("location"), `/v1/jobs/${job.id}`);
  assert.equal(response.headers.get("preference-applied"), "respond-async");
  assert.equal(job.status, "queued");
  return job;
}

const show = async (id) => (await call("GET", `/v1/jobs/${id}`)).json();
const ended = (id) =>
  until(async () => {
    const job = await show(id);
    return ["completed", "failed", "cancelled"].includes(job.status) && job;
  }, id);
const result = (id) => call("GET", `/v1/jobs/${id}/result`);
const chatBody = (content, more) => ({ model: "openai/gpt-4o-mini", messages: [{ role: "user", content }], ...more });

test("every surface may be queued, and its answer is in its own dialect", async () => {
  const content = unique("The capital of France is Paris. What is the capital of France?");
  const asks = [
    ["/v1/chat/completions", chatBody(content), (answer) => answer.choices[0].message.content],
    ["/v1/messages", { model: "anthropic/claude-haiku-4-5", max_tokens: 50, messages: [{ role: "user", content }] }, (answer) => answer.content[0].text],
    ["/v1/responses", { model: "openai/gpt-4o-mini", input: content }, (answer) => answer.output.at(-1).content[0].text],
    ["/v1/embeddings", { model: "openai/text-embedding-3-small", input: content }, (answer) => answer.data[0].embedding],
  ];
  const jobs = await Promise.all(asks.map(([path, body]) => queue(body, { path })));
  for (const [at, { id }] of jobs.entries()) {
    const job = await ended(id);
    assert.equal(job.status, "completed", JSON.stringify(job));
    const answer = await result(id);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get("content-type"), /json/);
    assert.ok(asks[at][2](await answer.json()).length > 0);
    const [record] = await until(async () => {
      const rows = await gateway.query("SELECT * FROM usage_records WHERE metadata LIKE ?", `%${id}%`);
      return rows.length > 0 && rows;
    }, "the record");
    assert.equal(record.tenant, "acme");
    assert.equal(record.outcome, "ok");
  }
});

test("a stream is kept whole, and watched while it comes", async () => {
  const { id } = await queue(chatBody(unique(), { stream: true }));
  const watched = await (await call("GET", `/v1/jobs/${id}/events`)).text();
  assert.match(watched, /event: completed\n/);
  const job = await show(id);
  assert.ok(job.progress.output_tokens > 0, JSON.stringify(job));
  const answer = await result(id);
  assert.equal(answer.headers.get("content-type"), "text/event-stream");
  assert.equal(events(await answer.text()).at(-1), "[DONE]");
});

test("what is wrong is refused at once", async () => {
  const refused = async (body, headers) => {
    const response = await call("POST", "/v1/chat/completions", { headers: { "x-edge-ai-async": "true", ...headers }, body });
    return [response.status, (await response.json()).error.param];
  };
  assert.deepEqual(await refused({ model: "openai/gpt-4o-mini" }), [400, "messages"]);
  assert.deepEqual(await refused({ ...chatBody("x"), model: "no-such" }), [404, "model"]);
  assert.deepEqual(await refused(chatBody("x"), { "x-edge-ai-webhook": "https://10.0.0.1/" }), [400, "x-edge-ai-webhook"]);
  assert.equal((await call("POST", "/v1/chat/completions", { key: "nobody-at-all", headers: { prefer: "respond-async" }, body: chatBody("x") })).status, 401);
});

test("a vendor's fault is tried again", async () => {
  const content = unique("fault");
  await fault({ contains: content }, "status=503", 2);
  const { id } = await queue(chatBody(content));
  const job = await ended(id);
  assert.equal(job.status, "completed", JSON.stringify(job));
  assert.ok(job.progress.attempts >= 2, JSON.stringify(job));
  const asked = await seen(content);
  assert.ok(asked.every(({ headers }) => JSON.stringify(headers).includes(id)), "the vendor is told the job's name");
});

test("a job that nobody can answer is kept with its reason", async () => {
  const { id } = await queue(chatBody(unique("[[fault: status=400]]")));
  const job = await ended(id);
  assert.equal(job.status, "failed");
  assert.equal(job.progress.attempts, 1, "a refusal is final");
  assert.ok(job.error.message.length > 0);
  assert.equal((await result(id)).status, 400);

  const dead = await queue(chatBody(unique("[[fault: status=503]]")));
  const buried = await ended(dead.id);
  assert.equal(buried.status, "failed");
  assert.equal(buried.dead_letter, true);
  assert.equal(buried.progress.attempts, buried.progress.max_attempts);
});

test("a message that comes twice is paid for once", async () => {
  const content = unique("[[fault: latency=2000]]");
  const { id } = await queue(chatBody(content));
  await Promise.all([gateway.deliverAgain(id), gateway.deliverAgain(id)]);
  const job = await ended(id);
  assert.equal(job.status, "completed", JSON.stringify(job));
  assert.equal(job.progress.attempts, 1);
  await gateway.deliverAgain(id);
  const { id: next } = await queue(chatBody(unique()));
  await ended(next);
  assert.equal((await seen(content)).length, 1);
  assert.deepEqual((await show(id)).progress, job.progress);
});

test("a job that is cancelled gives up its call", async () => {
  const content = unique("[[fault: latency=60000]]");
  const { id } = await queue(chatBody(content));
  await until(async () => (await show(id)).status === "running", "the attempt");
  assert.equal((await (await call("POST", `/v1/jobs/${id}/cancel`)).json()).status, "cancelled");
  const answer = await result(id);
  assert.equal(answer.status, 409);
  assert.equal((await answer.json()).error.code, "job_cancelled");
  await until(async () => (await seen(content))[0]?.outcome === "aborted", "the end of the call");
  assert.deepEqual(await (await call("DELETE", `/v1/jobs/${id}`)).json(), { id, object: "job", deleted: true });
  assert.equal((await call("GET", `/v1/jobs/${id}`)).status, 404);
});

test("another tenant does not learn of a job", async () => {
  const { id } = await queue(chatBody(unique()));
  await ended(id);
  for (const [method, rest] of [["GET", ""], ["GET", "/result"], ["GET", "/events"], ["POST", "/cancel"], ["DELETE", ""]]) {
    assert.equal((await call(method, `/v1/jobs/${id}${rest}`, { key: "sk-globex-0001" })).status, 404, method + rest);
  }
  assert.equal((await show(id)).status, "completed");
});

test("a webhook is signed as Standard Webhooks have it, and sent again when it is not taken", async () => {
  const got = [];
  const server = createServer(async (request, response) => {
    got.push({ headers: request.headers, body: (await request.toArray()).join("") });
    response.writeHead(got.length === 1 ? 302 : 204, { location: "/elsewhere" }).end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const url = `http://127.0.0.1:${server.address().port}/hook`;
    const { id } = await queue(chatBody(unique()), { headers: { "x-edge-ai-webhook": url } });
    await until(() => got.length === 2, "the second webhook");
    const { secret } = await (await call("GET", "/v1/jobs/webhook-secret")).json();
    for (const { headers, body } of got) {
      const event = new Webhook(secret).verify(body, headers);
      assert.equal(event.type, "job.completed");
      assert.equal(event.data.id, id);
    }
    assert.equal(got[0].headers["webhook-id"], got[1].headers["webhook-id"]);
    const other = await (await call("GET", "/v1/jobs/webhook-secret", { key: "sk-globex-0001" })).json();
    assert.throws(() => new Webhook(other.secret).verify(got[1].body, got[1].headers));
    const told = await until(async () => {
      const { webhook } = await show(id);
      return webhook.delivered_at && webhook;
    }, "the delivery");
    assert.equal(told.attempts, 2);
  } finally {
    server.close();
  }
});

test("a job outlives the Worker that worked on it", async () => {
  const content = unique("lost");
  await fault({ contains: content }, "latency=20000", 1);
  const { id } = await queue(chatBody(content));
  await until(async () => (await show(id)).status === "running", "the attempt");
  await gateway.restart();
  const job = await ended(id);
  assert.equal(job.status, "completed", JSON.stringify(job));
  assert.equal(job.progress.lost_attempts, 1);
  assert.equal(job.progress.attempts, 2);
  // The vendor is asked once more, and by the same name: it can tell that it is the same request.
  const names = (await seen(content)).map(({ headers }) => JSON.stringify(headers).match(/job_\w+-\d+/)[0]);
  assert.equal(names.length, 2);
  assert.equal(names[0], names[1]);
});
