// What a client, the records and the cache see when a provider fails.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";
import { startGateway } from "./support/gateway.mjs";
import { chat, events, fault, seen, unique } from "./support/local.mjs";

let gateway;
before(async () => (gateway = await startGateway()));
after(() => gateway.stop());

const PROVIDERS = {
  openai: "openai/gpt-6-luna",
  anthropic: "anthropic/claude-haiku-4-5",
  bedrock: "bedrock/global.anthropic.claude-haiku-4-5-20251001-v1:0",
  "workers-ai": "workers-ai/@cf/meta/llama-3.3-70b-instruct-fp8-fast",
};
const ask = (model, content, more = {}, options = {}) =>
  chat(gateway.url, { model, messages: [{ role: "user", content }], ...more }, options);
// Records carry no content: the newest one is this test's, since the tests of a file run one after the other.
const last = async (count) => (await gateway.records(count)).at(-1);
const recorded = async () => (await gateway.records(0)).length;

for (const [name, model] of Object.entries(PROVIDERS)) {
  describe(name, () => {
    for (const how of ["cut=5", "end=5"]) {
      test(`a stream that breaks off (${how}) ends with an error event and is not kept`, async () => {
        const before = await recorded();
        const content = unique(`Tell a long story about bears and foxes. [[fault: ${how}]]`);
        const response = await ask(model, content, { stream: true });
        assert.equal(response.status, 200);
        const data = events(await response.text());
        const { error } = JSON.parse(data.at(-1));
        assert.equal(typeof error.message, "string");
        assert.ok(!data.includes("[DONE]"));
        const row = await last(before + 1);
        assert.equal(row.outcome, "interrupted");
        assert.equal(row.cache, "miss");

        await ask(model, content, { stream: true }).then((again) => again.text());
        assert.equal((await seen(content)).length, 2, "a broken answer was kept");
      });
    }

    test("an SDK throws on a stream that breaks off", async () => {
      const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "k", maxRetries: 0 });
      const content = unique("Tell a long story about bears and foxes. [[fault: cut=5]]");
      const stream = await client.chat.completions.create({ model, messages: [{ role: "user", content }], stream: true });
      let text = "";
      await assert.rejects(async () => {
        for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
      });
      assert.ok(text.length > 0, "what had come was lost");
    });

    test("a malformed frame is an error event", async () => {
      const content = unique("Tell a long story about bears and foxes. [[fault: malformed=5]]");
      const data = events(await (await ask(model, content, { stream: true })).text());
      assert.ok(JSON.parse(data.at(-1)).error);
    });

    test("an overload is retried once and then told", async () => {
      const content = unique("[[fault: status=503]]");
      const response = await ask(model, content);
      assert.equal(response.status, 503);
      assert.equal(response.headers.get("x-edge-ai-attempts"), "2");
      assert.equal(response.headers.get("x-should-retry"), "false");
      assert.ok((await response.json()).error.message);
      assert.equal((await seen(content)).length, 2);
    });

    test("a limit that is over soon is waited for", async () => {
      const content = unique("hello");
      await fault({ contains: content }, "status=429,retry-after=1", 1);
      const start = performance.now();
      const response = await ask(model, content);
      assert.equal(response.status, 200);
      // The Workers AI binding tells no time: there the pause is the router's own.
      if (name !== "workers-ai") assert.ok(performance.now() - start >= 1_000, "it came back too early");
      assert.equal(response.headers.get("x-edge-ai-attempts"), "2");
    });

    test("a limit that is over late is told with its time", async () => {
      const content = unique("[[fault: status=429,retry-after=3000]]");
      const response = await ask(model, content);
      assert.equal(response.status, 429);
      if (name !== "workers-ai") assert.equal(response.headers.get("retry-after"), "3000");
      assert.ok((await seen(content)).length <= 2);
    });

    test("a wrong request is not retried", async () => {
      const content = unique("[[fault: status=400]]");
      assert.equal((await ask(model, content)).status, 400);
      assert.equal((await seen(content)).length, 1);
    });

    // On this machine workerd tells of a client that leaves with the next write only, so the stream is one that goes on.
    test("a client that leaves is noticed, and the provider is let go", async () => {
      const before = await recorded();
      const content = unique("Tell a long story about bears and foxes. [[fault: slow=200ms]]");
      const abort = new AbortController();
      const response = await ask(model, content, { stream: true }, { signal: abort.signal });
      await response.body.getReader().read();
      abort.abort();
      const row = await last(before + 1);
      assert.equal(row.outcome, "cancelled");
      assert.match(row.error, /client left/);
      for (let tries = 0; tries < 100 && (await seen(content))[0].outcome === "pending"; tries += 1) await sleep(20);
      assert.equal((await seen(content))[0].outcome, "aborted");
    });
  });
}

describe("fallback", () => {
  test("goes on to the next provider without a pause", async () => {
    const content = unique("hello");
    await fault({ surface: "anthropic", contains: content }, "status=500");
    const response = await ask("smart", content);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("x-edge-ai-provider"), "openai");
    assert.equal(response.headers.get("x-edge-ai-attempts"), "2");
  });

  test("holds for a stream that fails before its first content", async () => {
    const content = unique("hello");
    await fault({ surface: "anthropic", contains: content }, "error-event=0");
    const response = await ask("smart", content, { stream: true });
    assert.equal(response.headers.get("x-edge-ai-provider"), "openai");
    assert.equal(events(await response.text()).at(-1), "[DONE]");
  });

  test("does not tell of the gateway's own credentials", async () => {
    const content = unique("[[fault: status=401]]");
    const response = await ask("openai/gpt-6-luna", content);
    assert.equal(response.status, 502);
    assert.equal(response.headers.get("x-should-retry"), "false");
    const { error } = await response.json();
    assert.match(error.message, /operator/);
    const row = (await gateway.records(1)).at(-1);
    assert.equal(JSON.parse(row.attempts).at(-1).error, "authentication");
  });
});
