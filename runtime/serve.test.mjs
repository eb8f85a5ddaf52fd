// The attachment itself, with the smallest Worker and the smallest service: what a change of Miniflare's or wrangler's
// version could break without a word.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const WORKER = `
  export default {
    async fetch(request, env) {
      const answers = {
        "/ai": async () => await env.AI.run("@cf/model", { prompt: "x" }),
        "/docs": async () => await env.DOCS.query([0.5], { topK: 1 }),
        "/faq": async () => await env.FAQ.upsert([{ id: "a", values: [0.5] }, { id: "b", values: [1] }]),
        "/classes": async () => [env.AI.constructor.name, env.DOCS.constructor.name],
        "/vars": async () => ({ kept: env.KEPT, given: env.GIVEN, secret: env.SECRET }),
        "/ip": async () => request.headers.get("cf-connecting-ip"),
        "/kv": async () => (await env.KV.put("key", "value"), await env.KV.get("key")),
        "/count": async () => await env.DB.prepare("SELECT count(*) AS n FROM hits").first("n"),
        "/object": async () => await (await env.OBJECT.get(env.OBJECT.idFromName("x")).fetch("http://x/")).text(),
      };
      return Response.json(await answers[new URL(request.url).pathname]());
    },
  };
  export class Counter {
    constructor(state) { this.sql = state.storage.sql; }
    fetch() { return new Response(String(this.sql.exec("SELECT 41 + 1 AS n").one().n)); }
  }
`;

const CONFIG = `{
  // wrangler's own reader is used: comments are fine
  "name": "attached",
  "main": "build/worker/shim.mjs",
  "compatibility_date": "2026-04-01",
  "vars": { "KEPT": "of the configuration", "GIVEN": "of the configuration" },
  "kv_namespaces": [{ "binding": "KV", "id": "kv" }],
  "d1_databases": [{ "binding": "DB", "database_name": "db", "database_id": "db", "migrations_dir": "migrations" }],
  "durable_objects": { "bindings": [{ "name": "OBJECT", "class_name": "Counter" }] },
  "migrations": [{ "tag": "v1", "new_sqlite_classes": ["Counter"] }],
  "ai": { "binding": "AI" },
  "vectorize": [{ "binding": "DOCS", "index_name": "docs" }, { "binding": "FAQ", "index_name": "faq-v2" }]
}`;

const root = mkdtempSync(join(tmpdir(), "serve-"));
const seen = [];
let service;
let server;
let url;

before(async () => {
  for (const directory of ["build/worker", "migrations"]) mkdirSync(join(root, directory), { recursive: true });
  writeFileSync(join(root, "build/index.js"), WORKER);
  writeFileSync(join(root, "build/worker/shim.mjs"), `export * from "../index.js"; export { default } from "../index.js";`);
  writeFileSync(join(root, "migrations/0001_hits.sql"), "CREATE TABLE hits (path TEXT);");
  writeFileSync(join(root, "wrangler.jsonc"), CONFIG);
  writeFileSync(join(root, ".dev.vars"), "SECRET=of this machine\n");

  service = createServer(async (request, response) => {
    const body = (await request.toArray()).join("");
    seen.push({ url: request.url, host: request.headers.host, headers: request.headers, body });
    response.writeHead(200, { "content-type": "application/json" }).end(`{"answer":"${request.url}"}`);
  });
  await once(service.listen(0, "127.0.0.1"), "listening");

  const serve = fileURLToPath(new URL("serve.mjs", import.meta.url));
  const standin = `http://127.0.0.1:${service.address().port}`;
  server = spawn(
    process.execPath,
    [serve, "--config", join(root, "wrangler.jsonc"), "--standin", standin, "--isolated", "--var", "GIVEN=a=b"],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  for await (const line of createInterface(server.stdout)) {
    url = JSON.parse(line).ready;
    break;
  }
});

after(async () => {
  service.close();
  service.closeAllConnections();
  if (server.exitCode === null) server.kill("SIGKILL");
  rmSync(root, { recursive: true });
});

async function ask(path, headers = {}) {
  const response = await fetch(new URL(path, url), { headers });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text);
}

test("the AI binding is the runtime's module, and its requests reach the service as they are", async () => {
  assert.deepEqual(await ask("/classes"), ["Ai", "VectorizeIndexImpl"]);
  assert.deepEqual(await ask("/ai"), { answer: "/run?version=3" });
  const request = seen.at(-1);
  assert.equal(request.host, "workers-binding.ai");
  assert.equal(request.headers["cf-consn-model-id"], "@cf/model");
  assert.deepEqual(JSON.parse(request.body), { inputs: { prompt: "x" }, options: {} });
});

test("each Vectorize binding tells its index", async () => {
  assert.deepEqual(await ask("/docs"), { answer: "/query" });
  assert.deepEqual([seen.at(-1).host, seen.at(-1).headers["x-edge-ai-index"]], ["vector-search", "docs"]);
  assert.deepEqual(await ask("/faq"), { answer: "/upsert" });
  assert.equal(seen.at(-1).headers["x-edge-ai-index"], "faq-v2");
  assert.equal(seen.at(-1).headers["content-type"], "application/x-ndjson");
  assert.equal(seen.at(-1).body, '{"id":"a","values":[0.5]}\n{"id":"b","values":[1]}');
});

test("a variable given overrides the configuration's, and a developer's own secrets stay out", async () => {
  assert.deepEqual(await ask("/vars"), { kept: "of the configuration", given: "a=b" });
});

test("storage is there, migrated", async () => {
  assert.equal(await ask("/kv"), "value");
  assert.equal(await ask("/count"), 0);
  assert.equal(await ask("/object"), "42");
});

test("a client's address is its own, or the one that it says", async () => {
  assert.equal(await ask("/ip"), "127.0.0.1");
  assert.equal(await ask("/ip", { "cf-connecting-ip": "192.0.2.7" }), "192.0.2.7");
});

test("it ends when its stdin ends", async () => {
  server.stdin.end();
  const [code] = await once(server, "exit");
  assert.equal(code, 0);
  await assert.rejects(fetch(url));
});
