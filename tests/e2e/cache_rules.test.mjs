// What an operator's rules and a client's wishes make of kept answers, by the official clients.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { startGateway } from "./support/gateway.mjs";
import { chat, events, fault, seen, unique } from "./support/local.mjs";

const TARGET = "openai/gpt-6-luna";
const names = ["plain", "brief", "swr", "spare", "off", "shared", "claude"];
const RULES = {
  default: { ttl_seconds: 300 },
  routes: {
    brief: { ttl_seconds: 1 },
    swr: { ttl_seconds: 1, stale_while_revalidate_seconds: 600 },
    spare: { ttl_seconds: 1, stale_if_error_seconds: 600 },
    off: { enabled: false },
    shared: { ttl_seconds: 300, coalesce: true },
  },
};

let gateway, openai, anthropic;
before(async () => {
  const routes = Object.fromEntries(names.map((name) => [name, { fallback: [name === "claude" ? "anthropic/claude-haiku-4-5" : TARGET] }]));
  gateway = await startGateway({ config: { routes, cache: RULES } });
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "a-key", maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: gateway.url, apiKey: "a-key", maxRetries: 0 });
});
after(() => gateway?.stop());

// The Anthropic client sends its key as `x-api-key`: the tenant of either header is the same.
const body = (model, content, more) => ({ model, messages: [{ role: "user", content }], ...more });
const status = (response) => response.headers.get("x-edge-ai-cache");

/** Asks until the cache says so: it is written behind the answer, and time passes. */
async function until(wanted, request, options) {
  const found = [];
  for (let tries = 0; tries < 150; tries += 1) {
    const response = await chat(gateway.url, request, options);
    if (status(response) === wanted) return response;
    found.push(status(response));
    await response.text();
    await sleep(25);
  }
  return assert.fail(`never ${wanted}: ${[...new Set(found)]}`);
}

describe("a rule", () => {
  test("sets a time for each route", async () => {
    const content = unique();
    for (const model of ["plain", "brief"]) {
      await (await chat(gateway.url, body(model, content))).text();
      await until("hit", body(model, content));
    }
    await sleep(1_100);
    assert.equal(status(await chat(gateway.url, body("brief", content))), "miss");
    const kept = await chat(gateway.url, body("plain", content));
    assert.equal(status(kept), "hit");
    assert.equal(kept.headers.get("cf-aig-cache-status"), "HIT");
    assert.ok(Number(kept.headers.get("age")) >= 1, kept.headers.get("age"));
  });

  test("turns the cache off", async () => {
    const response = await chat(gateway.url, body("off", unique()));
    assert.equal(status(response), "bypass");
    assert.equal(response.headers.get("cf-aig-cache-status"), null);
  });

  test("gives a stale answer at once, and a new one is asked for behind it", async () => {
    const content = unique();
    await (await chat(gateway.url, body("swr", content))).text();
    await until("hit", body("swr", content));
    const stale = await until("stale", body("swr", content, { stream: true }));
    assert.equal(stale.headers.get("cf-aig-cache-status"), "HIT");
    assert.equal(events(await stale.text()).at(-1), "[DONE]");
    const fresh = await until("hit", body("swr", content));
    assert.equal(fresh.headers.get("age"), "0");
    assert.ok((await seen(content)).length >= 2);
  });

  test("gives a stale answer in place of an error", async () => {
    const content = unique();
    await (await chat(gateway.url, body("spare", content))).text();
    await until("hit", body("spare", content));
    await fault({ contains: content }, "status=500");
    const stale = await until("stale", body("spare", content));
    assert.equal(stale.status, 200);
    const row = (await gateway.records(1)).at(-1);
    assert.equal(row.cache, "stale");
    assert.equal(row.cost_nano_dollars, 0);
  });
});

describe("a client's wish", () => {
  test("for a kept answer alone is met, or is a 504", async () => {
    const content = unique();
    const only = { headers: { "cache-control": "only-if-cached" } };
    const refused = await chat(gateway.url, body("plain", content), only);
    assert.equal(refused.status, 504);
    assert.equal((await refused.json()).error.code, "only_if_cached");
    assert.equal(refused.headers.get("x-should-retry"), "false");
    assert.equal((await seen(content)).length, 0);
    await (await chat(gateway.url, body("plain", content))).text();
    await until("hit", body("plain", content));
    assert.equal((await chat(gateway.url, body("plain", content), only)).status, 200);
  });

  test("for a young answer is met", async () => {
    const content = unique();
    await (await chat(gateway.url, body("plain", content))).text();
    await until("hit", body("plain", content));
    await sleep(1_100);
    assert.equal(status(await chat(gateway.url, body("plain", content), { headers: { "cache-control": "max-age=60" } })), "hit");
    assert.equal(status(await chat(gateway.url, body("plain", content), { headers: { "cache-control": "max-age=1" } })), "miss");
  });

  test("for a key of its own is met", async () => {
    const key = { headers: { "cf-aig-cache-key": unique() } };
    const first = await (await chat(gateway.url, body("plain", unique()), key)).json();
    const again = await until("hit", body("plain", unique()), key);
    assert.equal((await again.json()).choices[0].message.content, first.choices[0].message.content);
    const tenant = { headers: { ...key.headers, authorization: "Bearer of-another" } };
    assert.equal(status(await chat(gateway.url, body("plain", unique()), tenant)), "miss");
  });
});

describe("an answer", () => {
  test("is replayed between dialects, tool calls included", async () => {
    const headers = { "cf-aig-cache-key": unique(), authorization: "Bearer a-key" };
    const tool = { name: "get_weather", parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } };
    const asked = unique("What is the weather in Lisbon?");
    const stream = anthropic.messages.stream(
      { model: "claude", max_tokens: 500, messages: [{ role: "user", content: asked }], tools: [{ name: tool.name, input_schema: tool.parameters }], tool_choice: { type: "any" } },
      { headers },
    );
    const first = await stream.finalMessage();
    const call = first.content.find(({ type }) => type === "tool_use");
    const request = { ...body("claude", asked), tools: [{ type: "function", function: tool }], tool_choice: "required" };
    const replayed = await (await until("hit", request, { headers })).json();
    const [replay] = replayed.choices[0].message.tool_calls;
    assert.equal(replay.id, call.id);
    assert.deepEqual(JSON.parse(replay.function.arguments), call.input);
    assert.equal(replayed.choices[0].finish_reason, "tool_calls");
    assert.equal(replayed.usage.completion_tokens, first.usage.output_tokens);
    let streamed = "";
    for await (const chunk of await openai.chat.completions.create({ ...request, stream: true }, { headers })) {
      streamed += chunk.choices[0]?.delta.tool_calls?.[0].function?.arguments ?? "";
    }
    assert.deepEqual(JSON.parse(streamed), call.input);
    assert.equal((await seen(asked)).length, 1);
  });

  test("that failed or broke off is never kept", async () => {
    for (const [spec, stream] of [["status=500,times=9", false], ["cut=1,times=9", true], ["error-event=1,times=9", true], ["malformed=1,times=9", true]]) {
      const content = unique(`Tell a long story about bears and foxes. [[fault: ${spec}]]`);
      const ask = () => chat(gateway.url, body("plain", content, { stream }));
      for (let tries = 0; tries < 3; tries += 1) {
        const response = await ask();
        await response.text().catch(() => "");
        assert.notEqual(status(response), "hit", spec);
      }
      const only = await chat(gateway.url, body("plain", content, { stream }), { headers: { "cache-control": "only-if-cached" } });
      assert.equal(only.status, 504, spec);
    }
  });
});

describe("equal requests at once", () => {
  test("make one call, and each gets the whole stream", async () => {
    const content = unique("Tell a long story about bears and foxes. [[fault: slow=20ms]]");
    const before = (await gateway.records(0)).length;
    const ask = async () => {
      const { data, response } = await openai.chat.completions.create({ ...body("shared", content), stream: true }).withResponse();
      let text = "";
      for await (const chunk of data) text += chunk.choices[0]?.delta.content ?? "";
      return { text, cache: status(response) };
    };
    const answers = await Promise.all(Array.from({ length: 20 }, ask));
    assert.equal((await seen(content)).length, 1);
    assert.ok(answers[0].text.length > 0);
    assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
    const counted = (wanted) => answers.filter(({ cache }) => cache === wanted).length;
    assert.deepEqual([counted("miss"), counted("coalesced")], [1, 19]);
    const rows = (await gateway.records(before + 20)).slice(before);
    assert.equal(rows.length, 20);
    const free = rows.filter((row) => row.cache === "coalesced");
    assert.equal(free.length, 19);
    assert.ok(free.every((row) => row.cost_nano_dollars === 0 && row.outcome === "ok"));
    assert.ok(rows.find((row) => row.cache === "miss").output_tokens > 0);
  });

  test("whole, streamed and in both dialects share one", async () => {
    const headers = { "cf-aig-cache-key": unique(), authorization: "Bearer a-key" };
    const content = unique("Tell a long story about bears and foxes. [[fault: slow=20ms]]");
    const answers = await Promise.all([
      openai.chat.completions.create(body("shared", content), { headers }).then(({ choices }) => choices[0].message.content),
      chat(gateway.url, body("shared", content, { stream: true }), { headers }).then(async (response) =>
        events(await response.text()).slice(0, -1).map((data) => JSON.parse(data).choices[0]?.delta.content ?? "").join("")),
      anthropic.messages.stream({ ...body("shared", content), max_tokens: 900 }, { headers }).finalMessage().then(({ content }) => content[0].text),
      anthropic.messages.create({ ...body("shared", content), max_tokens: 900 }, { headers }).then(({ content }) => content[0].text),
    ]);
    assert.equal(new Set(answers).size, 1);
    assert.equal((await seen(content)).length, 1);
  });

  test("fail together, without another call", async () => {
    const content = unique("[[fault: status=400,latency=300ms]]");
    const answers = await Promise.all(Array.from({ length: 10 }, () => chat(gateway.url, body("shared", content))));
    assert.deepEqual([...new Set(answers.map((response) => response.status))], [400]);
    assert.ok((await seen(content)).length < 10, `${(await seen(content)).length} calls`);
  });

  test("outlive the client that asked first", async () => {
    const content = unique("Tell a long story about bears and foxes. [[fault: slow=100ms]]");
    const abort = new AbortController();
    const first = await chat(gateway.url, body("shared", content, { stream: true }), { signal: abort.signal });
    await first.body.getReader().read();
    const second = await chat(gateway.url, body("shared", content, { stream: true }));
    assert.equal(status(second), "coalesced");
    abort.abort();
    assert.equal(events(await second.text()).at(-1), "[DONE]");
    assert.equal((await seen(content)).length, 1);
  });
});

test("a batch of embeddings asks only for what is not known", async () => {
  const model = "openai/text-embedding-3-small";
  const [a, b, c] = [unique("a"), unique("b"), unique("c")];
  const embed = (input) => openai.embeddings.create({ model, input }).withResponse();
  const first = await embed([a, b]);
  let all;
  for (let tries = 0; tries < 100 && all?.response.headers.get("x-edge-ai-cache") !== "hit"; tries += 1) {
    all = await embed([b, a]);
    await sleep(25);
  }
  assert.equal(all.response.headers.get("x-edge-ai-cache"), "hit");
  assert.deepEqual(all.data.data.map(({ embedding }) => embedding), [first.data.data[1].embedding, first.data.data[0].embedding]);
  assert.equal(all.data.usage.prompt_tokens, 0);
  const calls = (await seen(a)).length;
  const mixed = await embed([c, b, a]);
  assert.equal(mixed.response.headers.get("x-edge-ai-cache"), "miss");
  assert.deepEqual(mixed.data.data[2].embedding, first.data.data[0].embedding);
  assert.deepEqual(mixed.data.data.map(({ index }) => index), [0, 1, 2]);
  assert.equal((await seen(a)).length, calls);
  assert.equal((await seen(c)).length, 1);
});
