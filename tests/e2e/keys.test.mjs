// Keys as an operator and their owners use them: made by the command `edge-ai`, used by the official SDKs, ended, brought along.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, createHmac, createSign, generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { startGateway } from "./support/gateway.mjs";
import { chat, seen, unique } from "./support/local.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CLI = `${ROOT}target/debug/edge-ai`;
const ADMIN_TOKEN = randomBytes(32).toString("hex");
const MASTER_KEY = randomBytes(32).toString("base64");
const ISSUER = "https://login.example.com";

let gateway;
let issuer;
let signing;

before(async () => {
  signing = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwk = { ...signing.publicKey.export({ format: "jwk" }), kid: "k1", alg: "RS256", use: "sig" };
  issuer = createServer((_, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ keys: [jwk] }));
  });
  issuer.listen(0, "127.0.0.1");
  await once(issuer, "listening");
  gateway = await startGateway({
    ADMIN_TOKEN: `ops:${ADMIN_TOKEN}`,
    MASTER_KEY,
    JWT_ISSUER: ISSUER,
    JWT_AUDIENCE: "gateway",
    JWT_JWKS_URL: `http://127.0.0.1:${issuer.address().port}/jwks`,
  });
});

after(async () => {
  await gateway?.stop();
  issuer?.close();
});

/** Runs the command; its answer is JSON. */
async function edgeAi(args, { input = "", token = ADMIN_TOKEN, json = true } = {}) {
  assert.ok(existsSync(CLI), "build it with: cargo build -p edge-ai-cli");
  const env = { PATH: process.env.PATH, EDGE_AI_URL: gateway.url, EDGE_AI_ADMIN_TOKEN: token };
  const child = spawn(CLI, json ? [...args, "--json"] : args, { env });
  let [out, error] = ["", ""];
  child.stdout.on("data", (data) => (out += data));
  child.stderr.on("data", (data) => (error += data));
  // A command that takes no input may be over before it is told that there is none.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [code] = await once(child, "close");
  return { code, error, out, answer: code === 0 && json ? JSON.parse(out) : undefined };
}

async function newKey(...more) {
  const { code, error, answer } = await edgeAi(["keys", "create", "--tenant", "acme", "--name", "test", ...more]);
  assert.equal(code, 0, error);
  return { id: answer.key.id, secret: answer.secret };
}

const body = (model = "openai/gpt-4o-mini", content = unique()) => ({ model, messages: [{ role: "user", content }] });
const ask = (key, model, content, headers) =>
  chat(gateway.url, body(model, content), { headers: { authorization: `Bearer ${key}`, ...headers } });
const admin = (path, { token = ADMIN_TOKEN, ...init } = {}) =>
  fetch(`${gateway.url}/admin${path}`, {
    ...init,
    headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }), ...init.headers },
  });

test("a key from the command opens both SDKs, for the models that it may ask for", async () => {
  const { id, secret } = await newKey("--allow", "openai/*", "--allow", "anthropic/claude-haiku-4-5", "--limit", "$20 per month");
  const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: secret, maxRetries: 0 });
  const anthropic = new Anthropic({ baseURL: gateway.url, apiKey: secret, maxRetries: 0 });
  const message = { role: "user", content: unique() };
  assert.ok((await openai.chat.completions.create({ model: "openai/gpt-4o-mini", messages: [message] })).choices[0].message.content);
  const answer = await anthropic.messages.create({ model: "anthropic/claude-haiku-4-5", max_tokens: 64, messages: [message] });
  assert.ok(answer.content[0].text);

  await assert.rejects(
    openai.chat.completions.create({ model: "anthropic/claude-sonnet-5-5", messages: [message] }),
    (error) => error.status === 403 && error.code === "model_not_allowed" && error.message.includes(id),
  );
  await assert.rejects(
    anthropic.messages.create({ model: "claude-opus-5-5", max_tokens: 64, messages: [message] }),
    (error) => error.status === 403 && error.message.includes("claude-opus-5-5"),
  );
  await assert.rejects(
    openai.embeddings.create({ model: "workers-ai/@cf/baai/bge-m3", input: "x" }),
    (error) => error.status === 403,
  );
  const listed = await openai.models.list();
  assert.ok(listed.data.length > 0 && listed.data.every(({ id }) => id.startsWith("openai/") || id === "anthropic/claude-haiku-4-5"));

  const rows = (await gateway.records(2)).filter((row) => row.key === id);
  assert.ok(rows.length >= 2 && rows.every(({ tenant }) => tenant === "acme"));
  const usage = await edgeAi(["usage", "--by", "key", "--key", id]);
  assert.ok(usage.answer.data[0].requests >= 2);
});

test("a key is rotated, turned off, ended", async () => {
  const { id, secret } = await newKey();
  assert.equal((await ask(secret)).status, 200);
  const { answer } = await edgeAi(["keys", "rotate", id, "--grace", "1h"]);
  assert.equal((await ask(secret)).status, 200);
  assert.equal((await ask(answer.secret)).status, 200);
  assert.equal((await edgeAi(["keys", "disable", id])).code, 0);
  const off = await ask(answer.secret);
  assert.equal(off.status, 401);
  assert.equal((await off.json()).error.code, "disabled_api_key");
  assert.equal((await edgeAi(["keys", "enable", id])).code, 0);
  assert.equal((await ask(answer.secret)).status, 200);
  assert.equal((await edgeAi(["keys", "revoke", id])).code, 0);
  for (const gone of [secret, answer.secret]) {
    const response = await ask(gone);
    assert.equal(response.status, 401);
    assert.equal((await response.json()).error.code, "invalid_api_key");
  }
  const { code, error } = await edgeAi(["keys", "show", id]);
  assert.equal(code, 1);
  assert.match(error, /there is no key/);
});

test("a key that has expired says so", async () => {
  const { secret } = await newKey("--expires-in", "1s");
  for (let tries = 0; ; tries += 1) {
    const response = await ask(secret);
    if (response.status === 401) {
      assert.equal((await response.json()).error.code, "expired_api_key");
      break;
    }
    assert.ok(tries < 100, "it never expired");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

test("a tenant's own key goes to the vendor, for that tenant alone", async () => {
  const own = `sk-own-${randomBytes(16).toString("hex")}`;
  const acme = await newKey();
  const other = await edgeAi(["keys", "create", "--tenant", "globex", "--name", "test"]);
  const set = await edgeAi(["vendor-keys", "set", "openai", "--tenant", "acme"], { input: `${own}\n` });
  assert.equal(set.code, 0, set.error);
  assert.equal(set.answer.vendor_key.hint, own.slice(-4));
  const sent = async (key) => {
    const content = unique();
    assert.equal((await ask(key, "openai/gpt-4o-mini", content)).status, 200);
    const [request] = await seen(content);
    return request.headers.authorization;
  };
  // The journal shows the last four characters of a credential.
  assert.ok((await sent(acme.secret)).endsWith(own.slice(-4)));
  assert.ok(!(await sent(other.answer.secret)).endsWith(own.slice(-4)));
  const missing = await ask(acme.secret, "openai/gpt-4o-mini", unique(), { "cf-aig-byok-alias": "nothing" });
  assert.equal(missing.status, 400);
  assert.equal((await edgeAi(["vendor-keys", "delete", "openai", "--tenant", "acme"])).code, 0);
  assert.ok(!(await sent(acme.secret)).endsWith(own.slice(-4)));
  assert.ok(!gateway.log.join("\n").includes(own));
});

describe("a token of the identity provider", () => {
  const encode = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
  const claims = (more) => ({
    iss: ISSUER, aud: "gateway", sub: "user-1", tenant: "acme", exp: Math.floor(Date.now() / 1000) + 600, ...more,
  });
  function token(payload, header = { alg: "RS256", kid: "k1" }, sign) {
    const signed = `${encode(header)}.${encode(payload)}`;
    sign ??= (text) => createSign("RSA-SHA256").update(text).sign(signing.privateKey);
    return `${signed}.${Buffer.from(sign(signed)).toString("base64url")}`;
  }

  test("opens the gateway, as far as its claims say", async () => {
    assert.equal((await ask(token(claims()))).status, 200);
    assert.equal((await ask(token(claims({ aud: ["x", "gateway"], models: ["openai/*"] })))).status, 200);
    assert.equal((await ask(token(claims({ models: ["smart"] })))).status, 403);
    assert.equal((await ask(token(claims({ tenant: undefined })))).status, 403);
  });

  test("is refused when it is forged, over, or for somebody else", async () => {
    const pem = signing.publicKey.export({ type: "spki", format: "pem" });
    const other = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const good = token(claims());
    for (const [what, forged] of [
      ["expired", token(claims({ exp: 1 }))],
      ["without an end", token(claims({ exp: undefined }))],
      ["not yet", token(claims({ nbf: 9e9 }))],
      ["another audience", token(claims({ aud: "other" }))],
      ["another issuer", token(claims({ iss: "https://evil.example" }))],
      ["none", token(claims(), { alg: "none" }, () => "")],
      ["the public key as a secret", token(claims(), { alg: "HS256", kid: "k1" }, (text) => createHmac("sha256", pem).update(text).digest())],
      ["another key", token(claims(), undefined, (text) => createSign("RSA-SHA256").update(text).sign(other.privateKey))],
      ["a kid that nobody has", token(claims(), { alg: "RS256", kid: "../../k2" })],
      ["other claims", [good.split(".")[0], encode(claims({ tenant: "globex" })), good.split(".")[2]].join(".")],
      ["extensions", token(claims(), { alg: "RS256", kid: "k1", crit: ["exp"] })],
    ]) {
      assert.equal((await ask(forged)).status, 401, what);
    }
  });
});

test("kept answers are purged by the command, for whom it says, and the trail says by whom", async () => {
  const [acme, globex] = [await newKey(), (await edgeAi(["keys", "create", "--tenant", "globex", "--name", "test"])).answer];
  const content = unique();
  const status = async (key) => {
    const response = await ask(key, "openai/gpt-4o-mini", content, { "x-edge-ai-cache-tags": "prices" });
    await response.text();
    return response.headers.get("x-edge-ai-cache");
  };
  const kept = async (key) => {
    for (let tries = 0; (await status(key)) !== "hit"; tries += 1) {
      assert.ok(tries < 200, "it was never kept");
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  };
  const purge = async (...args) => {
    const { code, error } = await edgeAi(["cache", "purge", ...args]);
    assert.equal(code, 0, error);
  };
  for (const args of [["--tag", "prices"], ["--tenant", "acme", "--model", "openai/gpt-4o-mini"], ["--all"]]) {
    await kept(acme.secret);
    await kept(globex.secret);
    await purge(...args);
    assert.equal(await status(acme.secret), "miss", args.join(" "));
    assert.equal(await status(globex.secret), args.includes("acme") ? "hit" : "miss", args.join(" "));
  }
  await kept(acme.secret);
  await purge("--tag", "others");
  assert.equal(await status(acme.secret), "hit");

  const { answer } = await edgeAi(["audit", "--limit", "4"]);
  assert.deepEqual(
    answer.data.map(({ action, actor, detail }) => [action, actor, detail]),
    [{ tag: "others" }, {}, { tenant: "acme", model: "openai/gpt-4o-mini" }, { tag: "prices" }].map((detail) => ["cache.purge", "ops", detail]),
  );
  assert.equal((await edgeAi(["cache", "purge"], { json: false })).code, 2);
  const empty = await admin("/cache/purge", { method: "POST", body: "{}" });
  assert.equal(empty.status, 400);
  const none = await edgeAi(["cache", "purge", "--model", "opanai/gpt"]);
  assert.equal(none.code, 1);
  assert.match(none.error, /opanai\/gpt/);
  assert.equal((await admin("/cache/purge", { method: "POST", body: '{"everything": true}', token: acme.secret })).status, 401);
});

test("the admin API lets nobody else in, and takes names for what they are", async () => {
  const { secret } = await newKey();
  for (const token of [null, "", secret, ADMIN_TOKEN.slice(1), `${ADMIN_TOKEN}0`, createHash("sha256").update(ADMIN_TOKEN).digest("hex")]) {
    for (const path of ["/keys", "/openapi.json", "/tenants/acme/vendor-keys", "/nothing"]) {
      assert.equal((await admin(path, { token })).status, 401, path);
    }
  }
  assert.equal((await ask(ADMIN_TOKEN)).status, 401);
  const nasty = `'); DROP TABLE keys; --"<script>`;
  const made = await admin("/keys", { method: "POST", body: JSON.stringify({ tenant: "acme", name: nasty }) });
  assert.equal(made.status, 201);
  assert.equal((await made.json()).key.name, nasty);
  const quoted = await admin(`/keys?tenant=${encodeURIComponent("acme' OR '1'='1")}`);
  assert.deepEqual((await quoted.json()).data, []);
  const text = await admin("/keys", { method: "POST", body: "{}", headers: { "content-type": "text/plain" } });
  assert.equal(text.status, 415);
  const { answer } = await edgeAi(["audit"]);
  assert.ok(answer.data.length > 5 && answer.data.every(({ actor }) => actor === "ops"));
  assert.ok(!JSON.stringify(answer).includes(secret));
  const wrong = await edgeAi(["keys", "list"], { token: "x".repeat(64) });
  assert.equal(wrong.code, 1);
  assert.match(wrong.error, /ADMIN_TOKEN/);
  const table = await edgeAi(["keys", "list", "--tenant", "acme"], { json: false });
  assert.match(table.out, /^ID +TENANT +NAME/);
});
