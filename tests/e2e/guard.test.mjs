// Guardrails, by the clients' own SDKs: what is taken out comes back, what is blocked stays out, and what is found is noted.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { startGateway } from "./support/gateway.mjs";
import { chat, seen, unique } from "./support/local.mjs";

const GUARDRAILS = {
  pii: { types: ["email", "credit_card"], action: "redact" },
  secrets: { action: "block" },
  deny: [
    { name: "rival", terms: ["acme corporation"], action: "block", on: "answer" },
    { name: "watched", terms: ["zürich"], action: "flag", on: "request" },
  ],
  schema: { retries: 1 },
};

const MODELS = ["openai/gpt-6-luna", "anthropic/claude-haiku-4-5", "workers-ai/@cf/meta/llama-3.3-70b-instruct-fp8-fast"];

let gateway, openai, anthropic;
before(async () => {
  gateway = await startGateway({ config: { guardrails: GUARDRAILS, cache: {} } });
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "a-key", maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: gateway.url, apiKey: "a-key", maxRetries: 0 });
});
after(() => gateway.stop());

/** A question that is answered with the address in it. */
const question = (address, mark) => `The address of the office is ${address} (${mark}). What is the address of the office?`;

for (const model of MODELS) {
  describe(model, () => {
    test("an address is not seen by the provider, and comes back", async () => {
      const mark = unique("office");
      const content = question("ada@example.com", mark);
      const answer = await openai.chat.completions.create({ model, messages: [{ role: "user", content }] });
      assert.match(answer.choices[0].message.content, /ada@example\.com/);
      const requests = await seen(mark);
      assert.equal(requests.length, 1);
      const asked = JSON.stringify(requests[0].body);
      assert.ok(!asked.includes("ada@example.com") && asked.includes("[EMAIL_1]"), asked);
    });

    test("the same in a stream", async () => {
      const messages = [{ role: "user", content: question("ada@example.com", unique("branch")) }];
      const stream = openai.chat.completions.stream({ model, messages, stream_options: { include_usage: true } });
      const answer = await stream.finalChatCompletion();
      assert.match(answer.choices[0].message.content, /ada@example\.com/);
      assert.ok(!answer.choices[0].message.content.includes("EMAIL"));
      assert.equal(answer.choices[0].finish_reason, "stop");
      assert.ok(answer.usage.total_tokens > 0);
    });

    test("Anthropic's SDK gets it back as well, whole and streamed", async () => {
      const ask = (mark) => ({ model, max_tokens: 200, messages: [{ role: "user", content: question("ada@example.com", unique(mark)) }] });
      const whole = await anthropic.messages.create(ask("desk"));
      assert.match(whole.content[0].text, /ada@example\.com/);
      const streamed = await anthropic.messages.stream(ask("hall")).finalMessage();
      assert.match(streamed.content[0].text, /ada@example\.com/);
      assert.equal(streamed.stop_reason, "end_turn");
    });

    test("a block within a stream ends it with an error, and nothing of the match", async () => {
      const content = `The best shop is Acme Corporation. ${unique()} What is the best shop?`;
      let text = "";
      const run = async () => {
        const stream = await openai.chat.completions.create({ model, stream: true, messages: [{ role: "user", content }] });
        for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
      };
      await assert.rejects(run, (error) => {
        assert.equal(error.code, "guardrail_blocked");
        assert.match(error.message, /`deny`: rival/);
        return true;
      });
      assert.ok(!/acme/i.test(text), text);
    });
  });
}

describe("what is found", () => {
  const model = MODELS[0];

  test("a secret in the request is a 400 that names guard, kind and place, and never the secret", async () => {
    const key = `ghp_${"aB3".repeat(12)}`;
    const mark = unique();
    const error = await openai.chat.completions
      .create({ model, messages: [{ role: "user", content: `${mark} my key is ${key}` }] })
      .then(() => assert.fail("answered"), (error) => error);
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.deepEqual([error.code, error.param], ["guardrail_blocked", "messages[0].content[0]"]);
    assert.match(error.message, /`secrets`: github_token/);
    assert.ok(!error.message.includes(key));
    assert.equal((await seen(mark)).length, 0);
    const other = await anthropic.messages
      .create({ model, max_tokens: 9, messages: [{ role: "user", content: `${mark} ${key}` }] })
      .then(() => assert.fail("answered"), (error) => error);
    assert.ok(other instanceof Anthropic.BadRequestError);
    assert.match(other.message, /github_token/);
  });

  test("a flag is a header, and lets the request through", async () => {
    const response = await chat(gateway.url, { model, messages: [{ role: "user", content: unique("Where is ZURICH?") }] });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("x-edge-ai-guardrails"), "flag deny");
    const id = response.headers.get("x-request-id");
    let row;
    for (let tries = 0; !row && tries < 100; tries += 1) {
      row = (await gateway.records(1)).find((row) => row.request_id === id);
      if (!row) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const [note] = JSON.parse(row.guards);
    assert.deepEqual([note.guard, note.action, note.category], ["deny", "flag", "watched"]);
  });

  test("a kept answer is put back for each who asks", async () => {
    const mark = unique("store");
    const ask = (address) => chat(gateway.url, { model, messages: [{ role: "user", content: question(address, mark) }] });
    assert.match(await (await ask("ada@example.com")).text(), /ada@example\.com/);
    for (let tries = 0; ; tries += 1) {
      const response = await ask("bob@example.org");
      const text = await response.text();
      assert.ok(text.includes("bob@example.org") && !text.includes("ada@"), text);
      if (response.headers.get("x-edge-ai-cache") === "hit") break;
      assert.ok(tries < 40, "never a hit");
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  });

  test("an answer of the wrong form is asked for again", async () => {
    const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false };
    const mark = unique();
    const messages = [{ role: "user", content: `The city is Paris. ${mark} Give the city.` }];
    const response_format = { type: "json_schema", json_schema: { name: "city", schema } };
    const answer = await openai.chat.completions.create({ model, messages, response_format });
    assert.ok(JSON.parse(answer.choices[0].message.content).city);
    assert.equal((await seen(mark)).length, 1);

    // The stand-in keeps to schemas: one that it cannot keep to is never fulfilled.
    const never = { type: "object", properties: { n: { type: "integer", minimum: 5, not: {} } }, required: ["n"] };
    const again = unique();
    const error = await openai.chat.completions
      .create({
        model,
        messages: [{ role: "user", content: `${again} Give the number n.` }],
        response_format: { type: "json_schema", json_schema: { name: "n", schema: never } },
      })
      .then(() => assert.fail("answered"), (error) => error);
    assert.equal(error.code, "guardrail_blocked");
    assert.match(error.message, /`schema`: invalid_answer/);
    const asked = await seen(again);
    assert.equal(asked.length, 2);
    assert.match(JSON.stringify(asked[1].body), /was not accepted/);
  });
});
