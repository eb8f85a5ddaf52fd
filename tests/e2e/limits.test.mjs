// Limits by the official clients, and by the bindings of workerd.

import assert from "node:assert/strict";
import { test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { startGateway } from "./support/gateway.mjs";
import { until } from "./support/jobs.mjs";
import { seen, unique } from "./support/local.mjs";

const KEYS = "acme:sk-acme-000001,globex:sk-globex-0001";
const MODEL = "openai/gpt-4o-mini";

async function withLimits(limits, use) {
  const gateway = await startGateway({ GATEWAY_KEYS: KEYS, config: { limits } });
  const client = (apiKey) => new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey, maxRetries: 0 });
  try {
    await use({ ...gateway, acme: client("sk-acme-000001"), globex: client("sk-globex-0001") });
  } finally {
    await gateway.stop();
  }
}

const ask = (client, content = unique(), more = {}) =>
  client.chat.completions.create({ model: MODEL, max_tokens: 20, messages: [{ role: "user", content }], ...more });

test("tokens are a tenant's own, and what is refused costs the vendor nothing", () =>
  withLimits(["300 tokens per day per tenant"], async ({ acme, globex }) => {
    const { response } = await ask(acme).withResponse();
    assert.ok(Number(response.headers.get("x-ratelimit-remaining-tokens")) < 300);
    const content = unique();
    await assert.rejects(ask(acme, content, { max_tokens: 240 }), (error) => {
      assert.equal(error.status, 429);
      assert.equal(error.code, "rate_limit_exceeded");
      assert.match(error.message, /300 tokens for each tenant in each day/);
      return true;
    });
    assert.equal((await seen(content)).length, 0);
    await ask(globex);
  }));

test("spend by leases ends with `insufficient_quota`", () =>
  withLimits(["$0.00002 per month per tenant on leased"], async ({ acme, globex }) => {
    const errors = [];
    for (let calls = 0; calls < 6; calls += 1) await ask(acme).catch((error) => errors.push(error));
    assert.ok(errors.length > 0 && errors.length < 6, `${errors.length} of 6 were refused`);
    assert.equal(errors[0].code, "insufficient_quota");
    assert.equal(errors[0].headers.get("x-should-retry"), "false");
    await ask(globex);
  }));

test("a stream is under way until it ends or its client leaves", () =>
  withLimits(["1 concurrency per tenant"], async ({ acme }) => {
    const story = () => ask(acme, unique("Tell a long story about bears and foxes. [[fault: hang-after=5]]"), { stream: true });
    const stream = await story();
    for await (const _ of stream) break;
    stream.controller.abort();
    // A client that leaves after the last write so far is noticed by the next, which is a ping.
    const answered = () =>
      ask(acme).then(
        () => true,
        (error) => {
          if (error.status !== 429) throw error;
          return false;
        },
      );
    await until(answered, "the permit of a client that left");
    const open = await story();
    const pieces = open[Symbol.asyncIterator]();
    await pieces.next();
    await assert.rejects(ask(acme), { status: 429 });
    open.controller.abort();
  }));

test("the rate limiting binding refuses the hundred and first", () =>
  withLimits(["100 requests per minute per tenant on binding"], async ({ acme, url }) => {
    const models = () => fetch(`${url}/v1/models`, { headers: { authorization: "Bearer sk-acme-000001" } });
    const answers = [];
    for (let calls = 0; calls < 101; calls += 1) answers.push((await models()).status);
    assert.equal(answers.filter((status) => status === 200).length, 100);
    await assert.rejects(ask(acme), { status: 429 });
  }));

test("Anthropic's client is told in its words", () =>
  withLimits(["1 requests per minute per key"], async ({ url }) => {
    const client = new Anthropic({ baseURL: url, apiKey: "sk-acme-000001", maxRetries: 0 });
    const message = { model: "anthropic/claude-haiku-4-5", max_tokens: 20, messages: [{ role: "user", content: unique() }] };
    const { response } = await client.messages.create(message).withResponse();
    assert.equal(response.headers.get("anthropic-ratelimit-requests-remaining"), "0");
    await assert.rejects(client.messages.create(message), { status: 429 });
  }));

test("a wrong limit is told by its field", () =>
  withLimits(["1 requests per minute on moon"], async ({ acme }) => {
    await assert.rejects(ask(acme), (error) => /`backend` is `moon`/.test(error.message) && error.status === 500);
  }));
