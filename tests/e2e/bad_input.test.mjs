// Whatever a client sends, it gets an answer in OpenAI's words that names the field.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { GATEWAY_URL, chat, unique } from "./support/local.mjs";

const model = "openai/gpt-6-luna";
const messages = [{ role: "user", content: "hello" }];

async function refused(response, status, param) {
  const text = await response.text();
  assert.equal(response.status, status, text);
  assert.match(response.headers.get("content-type"), /^application\/json/);
  assert.match(response.headers.get("x-request-id"), /^req_/);
  const { error } = JSON.parse(text);
  assert.equal(typeof error.message, "string");
  assert.equal(typeof error.type, "string");
  if (param !== undefined) assert.equal(error.param, param, text);
  return error;
}

describe("a body", () => {
  for (const [what, body, param] of [
    ["that is not JSON", "{ not json", undefined],
    ["that is empty", "", undefined],
    ["that is an array", "[]", undefined],
    ["that is cut off", `{"model": "${model}", "messages": [`, undefined],
    ["without a model", { messages }, "model"],
    ["with a model that is a number", { model: 5, messages }, "model"],
    ["without messages", { model }, "messages"],
    ["with messages that are a text", { model, messages: "hello" }, "messages"],
    ["with no message", { model, messages: [] }, "messages"],
    ["with a message that is a text", { model, messages: ["hello"] }, "messages[0]"],
    ["with a role that does not exist", { model, messages: [{ role: "robot", content: "x" }] }, "messages[0].role"],
    ["with content that is a number", { model, messages: [{ role: "user", content: 5 }] }, "messages[0].content"],
    ["with a part without a type", { model, messages: [{ role: "user", content: [{ text: "x" }] }] }, "messages[0].content[0].type"],
    ["with a temperature that is a text", { model, messages, temperature: "hot" }, "temperature"],
    ["with a temperature out of range", { model, messages, temperature: 9 }, "temperature"],
    ["with a tool without a name", { model, messages, tools: [{ type: "function", function: {} }] }, "tools[0].function.name"],
    ["with a stream that is a text", { model, messages, stream: "yes" }, "stream"],
  ]) {
    test(`${what} is refused`, async () => refused(await chat(GATEWAY_URL, body), 400, param));
  }

  test("of 20 MB is refused", async () => {
    const body = { model, messages: [{ role: "user", content: "x".repeat(20e6) }] };
    const error = await refused(await chat(GATEWAY_URL, body), 413);
    assert.match(error.message, /bytes/);
  });

  test("of 20 MB that does not say how long it is is refused", async () => {
    const piece = new TextEncoder().encode("x".repeat(1e6));
    let left = 20;
    const body = new ReadableStream({
      pull(controller) {
        if (left-- === 0) controller.close();
        else controller.enqueue(piece);
      },
    });
    const response = await fetch(`${GATEWAY_URL}/v1/chat/completions`, { method: "POST", body, duplex: "half" });
    await refused(response, 413);
  });

  test("with a model that does not exist is refused", async () => {
    const error = await refused(await chat(GATEWAY_URL, { model: "nobody/nothing", messages }), 404, "model");
    assert.equal(error.code, "model_not_found");
    assert.match(error.message, /openai/);
  });
});

describe("headers", () => {
  const ask = (headers) => chat(GATEWAY_URL, { model, messages }, { headers });

  test("of another type or encoding are refused", async () => {
    await refused(await ask({ "content-type": "text/plain" }), 415, "content-type");
    await refused(await ask({ "content-encoding": "gzip" }), 415, "content-encoding");
  });

  test("of ours that do not read are refused by name", async () => {
    await refused(await ask({ "cf-aig-cache-ttl": "soon" }), 400, "cf-aig-cache-ttl");
    await refused(await ask({ "cf-aig-skip-cache": "perhaps" }), 400, "cf-aig-skip-cache");
  });

  test("of nonsense that is not ours are passed over", async () => {
    const headers = { "cache-control": "=,;\"", accept: "x/y;q=zz", traceparent: "00", "x-forwarded-for": "?", authorization: "ü" };
    assert.equal((await ask(headers)).status, 200);
  });
});

describe("paths", () => {
  test("that do not exist are told what does", async () => {
    const error = await refused(await fetch(`${GATEWAY_URL}/v1/unknown`), 404);
    assert.match(error.message, /\/v1\/chat\/completions/);
  });

  test("take their own methods only", async () => {
    const response = await fetch(`${GATEWAY_URL}/v1/chat/completions`);
    assert.equal(response.headers.get("allow"), "POST");
    await refused(response, 405);
  });

  test("/healthz is up", async () => {
    const response = await fetch(`${GATEWAY_URL}/healthz`);
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { status: "ok" });
  });
});

describe("embeddings", () => {
  const embed = (body) =>
    fetch(`${GATEWAY_URL}/v1/embeddings`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });

  for (const [what, body, param] of [
    ["without an input", { model: "openai/text-embedding-3-small" }, "input"],
    ["of an empty list", { model: "openai/text-embedding-3-small", input: [] }, "input"],
    ["of an object", { model: "openai/text-embedding-3-small", input: {} }, "input"],
    ["in an encoding that does not exist", { model: "openai/text-embedding-3-small", input: "x", encoding_format: "hex" }, "encoding_format"],
  ]) {
    test(`${what} are refused`, async () => refused(await embed(body), 400, param));
  }
});

test("unknown fields go through to the provider of the same dialect", async () => {
  const { seen } = await import("./support/local.mjs");
  const content = unique();
  const body = `{"model":"${model}","messages":[{"role":"user","content":"${content}"}],"seed":12345678901,"x_future":{"b":1.10,"a":[1e400]}}`;
  await chat(GATEWAY_URL, body);
  const [request] = await seen(content);
  const sent = typeof request.body === "string" ? request.body : JSON.stringify(request.body);
  assert.match(sent, /x_future/);
});
