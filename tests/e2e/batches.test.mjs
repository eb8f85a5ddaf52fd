// OpenAI's files and batches, by its own client.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI, { toFile } from "openai";
import { startWithQueue, until } from "./support/jobs.mjs";
import { fault, seen, unique } from "./support/local.mjs";

let gateway;
before(async () => {
  gateway = await startWithQueue({
    GATEWAY_KEYS: "acme:sk-acme-000001,globex:sk-globex-0001",
    JOB_LEASE_SECONDS: "3",
    GATEWAY_CONFIG: JSON.stringify({}),
  });
});
after(() => gateway.stop());

const client = (apiKey = "sk-acme-000001") => new OpenAI({ apiKey, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
const chatLine = (custom_id, content, more) => ({
  custom_id,
  method: "POST",
  url: "/v1/chat/completions",
  body: { model: "openai/gpt-4o-mini", messages: [{ role: "user", content }] },
  ...more,
});

const upload = async (lines, of = client()) =>
  of.files.create({
    file: await toFile(Buffer.from(lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n")), "in.jsonl"),
    purpose: "batch",
  });
const create = (input_file_id, endpoint = "/v1/chat/completions", of = client()) =>
  of.batches.create({ input_file_id, endpoint, completion_window: "24h", metadata: { run: "1" } });
const ended = (id) =>
  until(async () => {
    const batch = await client().batches.retrieve(id);
    return ["completed", "failed", "expired", "cancelled"].includes(batch.status) && batch;
  }, id);
const content = async (id) => {
  const text = await (await client().files.content(id)).text();
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
};

test("a hundred requests, some of which the vendor refuses", async () => {
  const mark = unique("batch");
  const lines = Array.from({ length: 100 }, (_, at) =>
    chatLine(`line-${at}`, at % 10 === 3 ? `${mark} ${at} [[fault: status=400]]` : `${mark} ${at}`),
  );
  const file = await upload(lines);
  assert.deepEqual([file.object, file.purpose, file.filename], ["file", "batch", "in.jsonl"]);
  assert.equal((await client().files.retrieve(file.id)).bytes, file.bytes);
  const created = await create(file.id);
  assert.deepEqual([created.status, created.input_file_id, created.metadata], ["validating", file.id, { run: "1" }]);

  const batch = await ended(created.id);
  assert.equal(batch.status, "completed", JSON.stringify(batch));
  assert.deepEqual(batch.request_counts, { total: 100, completed: 90, failed: 10 });
  for (const at of ["created_at", "in_progress_at", "finalizing_at", "completed_at", "expires_at"]) assert.ok(batch[at] > 0, at);

  const answers = await content(batch.output_file_id);
  assert.equal(answers.length, 90);
  assert.equal(new Set(answers.map(({ custom_id }) => custom_id)).size, 90);
  for (const { response, error } of answers) {
    assert.equal(error, null);
    assert.equal(response.status_code, 200);
    assert.match(response.request_id, /^req_/);
    assert.equal(response.body.object, "chat.completion");
  }
  const errors = await content(batch.error_file_id);
  assert.deepEqual(errors.map(({ custom_id }) => custom_id).sort(), Array.from({ length: 10 }, (_, at) => `line-${at}3`.replace("-03", "-3")).sort());
  for (const { response } of errors) assert.equal(response.status_code, 400);
  assert.equal((await seen(mark)).length, 100, "each line is paid for once");

  const rows = await gateway.query("SELECT count(*) AS rows, count(DISTINCT request_id) AS ids FROM usage_records WHERE metadata LIKE ?", `%${batch.id}%`);
  assert.deepEqual({ ...rows[0] }, { rows: 100, ids: 100 });
});

test("lines that cannot be requests fail the batch, each with its reason", async () => {
  const file = await upload([
    chatLine("a", "x"),
    chatLine("a", "x"),
    "nonsense",
    chatLine("b", "x", { url: "/v1/embeddings" }),
    chatLine("c", "x", { body: { model: "no-such-model", messages: [{ role: "user", content: "x" }] } }),
    chatLine("d", "x", { body: { model: "openai/gpt-4o-mini" } }),
  ]);
  const batch = await ended((await create(file.id)).id);
  assert.equal(batch.status, "failed");
  assert.deepEqual(
    batch.errors.data.map(({ line, code }) => [line, code]),
    [[2, "duplicate_custom_id"], [3, "invalid_json_line"], [4, "mismatched_endpoint"], [5, "model_not_found"], [6, "invalid_request"]],
  );
  assert.ok(batch.failed_at > 0);
});

test("embeddings and responses go in batches too", async () => {
  for (const [endpoint, body] of [
    ["/v1/embeddings", { model: "openai/text-embedding-3-small", input: unique() }],
    ["/v1/responses", { model: "openai/gpt-4o-mini", input: unique() }],
  ]) {
    const file = await upload([{ custom_id: "one", method: "POST", url: endpoint, body }]);
    const batch = await ended((await create(file.id, endpoint)).id);
    assert.equal(batch.status, "completed", JSON.stringify(batch));
    const [answer] = await content(batch.output_file_id);
    assert.equal(answer.response.status_code, 200);
    assert.equal(batch.error_file_id, null);
  }
});

test("a batch is cancelled with what it has", async () => {
  const mark = unique("slow");
  const lines = [chatLine("quick", unique()), ...Array.from({ length: 20 }, (_, at) => chatLine(`${at}`, `${mark} [[fault: latency=60000]]`))];
  const batch = await create((await upload(lines)).id);
  await until(async () => (await client().batches.retrieve(batch.id)).request_counts.completed === 1, "the first answer");
  assert.equal((await client().batches.cancel(batch.id)).status, "cancelling");
  const cancelled = await ended(batch.id);
  assert.equal(cancelled.status, "cancelled");
  assert.deepEqual((await content(cancelled.output_file_id)).map(({ custom_id }) => custom_id), ["quick"]);
  await assert.rejects(client().batches.cancel(batch.id), OpenAI.ConflictError);
});

test("lists have the newest first, page by page, and nobody else's", async () => {
  const first = await upload([chatLine("a", unique())]);
  const second = await upload([chatLine("a", unique())]);
  const ids = [];
  for await (const file of client().files.list({ limit: 1 })) ids.push(file.id);
  assert.ok(ids.indexOf(second.id) < ids.indexOf(first.id) && ids.includes(first.id));
  const batch = await create(second.id);
  const batches = [];
  for await (const { id } of client().batches.list({ limit: 2 })) batches.push(id);
  assert.equal(batches[0], batch.id);

  const other = client("sk-globex-0001");
  assert.deepEqual((await other.files.list()).data, []);
  assert.deepEqual((await other.batches.list()).data, []);
  for (const refused of [
    () => other.files.retrieve(first.id),
    () => other.files.content(first.id),
    () => other.files.delete(first.id),
    () => other.batches.retrieve(batch.id),
    () => other.batches.cancel(batch.id),
  ]) await assert.rejects(refused(), OpenAI.NotFoundError);
  await assert.rejects(create(first.id, "/v1/chat/completions", other), OpenAI.BadRequestError);

  await ended(batch.id);
  assert.deepEqual(await client().files.delete(first.id), { id: first.id, object: "file", deleted: true });
  await assert.rejects(client().files.retrieve(first.id), OpenAI.NotFoundError);
});

test("what is no batch is refused by its field", async () => {
  const file = await upload([chatLine("a", "x")]);
  const refused = async (body, param) =>
    assert.rejects(client().batches.create({ input_file_id: file.id, endpoint: "/v1/chat/completions", completion_window: "24h", ...body }), (error) => {
      assert.deepEqual([error.status, error.param], [400, param]);
      return true;
    });
  await refused({ endpoint: "/v1/images" }, "endpoint");
  await refused({ completion_window: "1h" }, "completion_window");
  await refused({ input_file_id: "file-none" }, "input_file_id");
  await refused({ metadata: { a: 1 } }, "metadata");
  await assert.rejects(client().files.create({ file: await toFile(Buffer.from("x"), "x"), purpose: "assistants" }), (error) => error.param === "purpose");
});

test("a batch outlives the Worker that worked on it", async () => {
  const mark = unique("restart");
  await fault({ contains: mark }, "latency=3000", 12);
  const batch = await create((await upload(Array.from({ length: 12 }, (_, at) => chatLine(`${at}`, `${mark} ${at}`)))).id);
  await until(async () => (await seen(mark)).length >= 6, "the first requests");
  await gateway.restart();
  const done = await ended(batch.id);
  assert.deepEqual(done.request_counts, { total: 12, completed: 12, failed: 0 });
  assert.equal((await content(done.output_file_id)).length, 12);
});
