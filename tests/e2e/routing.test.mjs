// How routes choose, by the official clients: hedges, experiments, headers, windows.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { startGateway } from "./support/gateway.mjs";
import { fault, seen, unique } from "./support/local.mjs";

const SLOW = "openai/gpt-6-luna";
const QUICK = "anthropic/claude-haiku-4-5";
const ROUTES = {
  hedged: { hedge: { after_ms: 150, routes: [SLOW, QUICK] } },
  canary: {
    weighted: {
      by: { metadata: "session" },
      choices: [
        { route: SLOW, weight: 1, name: "stable" },
        { route: QUICK, weight: 1, name: "canary" },
      ],
    },
  },
  plan: { when: { if: { header: { "x-plan": { in: ["pro", "team"] } } }, then: QUICK, else: SLOW } },
  windows: { fallback: [QUICK, "anthropic/claude-sonnet-5-5"] },
};

let gateway, openai, anthropic;
before(async () => {
  gateway = await startGateway({ config: { routes: ROUTES, cache: {} } });
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "a-key", maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: gateway.url, apiKey: "a-key", maxRetries: 0 });
});
after(() => gateway?.stop());

const recorded = async () => (await gateway.records(0)).length;
const ask = (model, content, more = {}, headers = {}) =>
  openai.chat.completions.create({ model, messages: [{ role: "user", content }], ...more }, { headers }).withResponse();
const said = (response, name) => response.headers.get(`x-edge-ai-${name}`);

/** What the slow one's stand-in noted, once it has noted the end of it. */
async function outcome(content, surface) {
  for (let tries = 0; tries < 100; tries += 1) {
    const found = (await seen(content)).find((request) => request.model?.includes(surface) ?? JSON.stringify(request.body).includes(surface));
    if (found?.outcome && found.outcome !== "pending") return found.outcome;
    await sleep(50);
  }
  return assert.fail("the stand-in has noted no end");
}

describe("a hedge", () => {
  for (const stream of [false, true]) {
    test(`is won by who has content first, and the other is cancelled (${stream ? "stream" : "whole"})`, async () => {
      const before = await recorded();
      const content = unique("What do bears eat?");
      await fault({ model: "gpt-6-luna", contains: content }, "latency=20000ms");
      const { data, response } = await ask("hedged", content, { stream });
      let text = "";
      if (stream) for await (const chunk of data) text += chunk.choices[0]?.delta?.content ?? "";
      else text = data.choices[0].message.content;
      assert.ok(text.length > 0);
      assert.equal(said(response, "provider"), "anthropic");
      assert.equal(said(response, "attempts"), "2");
      assert.equal(await outcome(content, "gpt-6-luna"), "aborted");
      const row = (await gateway.records(before + 1)).at(-1);
      assert.equal(row.outcome, "ok");
      const attempts = JSON.parse(row.attempts);
      assert.deepEqual(
        attempts.map(({ provider, error, hedge }) => [provider, error ?? null, hedge ?? false]),
        [
          ["openai", "cancelled", false],
          ["anthropic", null, true],
        ],
      );
      assert.match(attempts[0].message, /what it costs is unknown/);
    });
  }

  test("does not ask a second one where the first is quick", async () => {
    const content = unique();
    const { response } = await ask("hedged", content);
    assert.equal(said(response, "attempts"), "1");
    assert.equal((await seen(content)).length, 1);
  });
});

describe("an experiment", () => {
  test("keeps a session's variant, tells it, and records it", async () => {
    const variants = new Set();
    for (let session = 0; session < 12; session += 1) {
      const before = await recorded();
      const headers = { "cf-aig-metadata": JSON.stringify({ session: `s${session}` }) };
      const drawn = [];
      for (let turn = 0; turn < 2; turn += 1) {
        const { response } = await ask("canary", unique(), {}, headers);
        drawn.push(said(response, "variant"));
        assert.equal(said(response, "provider"), drawn[0] === "canary" ? "anthropic" : "openai");
      }
      assert.equal(drawn[0], drawn[1]);
      variants.add(drawn[0]);
      const rows = (await gateway.records(before + 2)).slice(-2);
      assert.deepEqual(rows.map((row) => row.variant), drawn);
    }
    assert.deepEqual([...variants].sort(), ["canary", "stable"]);
  });
});

describe("a condition on a header", () => {
  test("parts requests, in the cache as well", async () => {
    const content = unique();
    for (const [plan, provider] of [["pro", "anthropic"], ["free", "openai"], ["team", "anthropic"]]) {
      const { response } = await ask("plan", content, {}, { "x-plan": plan });
      assert.equal(said(response, "provider"), provider, plan);
      assert.equal(said(response, "cache"), "miss", plan);
    }
    const { response } = await ask("plan", content);
    assert.equal(said(response, "provider"), "openai");
  });

  test("refuses a header that is too long, by its name", async () => {
    const refused = ask("plan", unique(), {}, { "x-plan": "x".repeat(300) });
    await assert.rejects(refused, (error) => error.status === 400 && error.param === "x-plan");
  });
});

describe("a context window", () => {
  test("that is too small is passed over", async () => {
    const content = unique("word ".repeat(230_000));
    const { data, response } = await anthropic.messages
      .create({ model: "windows", max_tokens: 16, messages: [{ role: "user", content }] })
      .withResponse();
    assert.equal(data.type, "message");
    assert.equal(said(response, "model"), "claude-sonnet-5-5");
    assert.equal(said(response, "attempts"), "1");
    const short = await anthropic.messages
      .create({ model: "windows", max_tokens: 16, messages: [{ role: "user", content: unique() }] })
      .withResponse();
    assert.equal(said(short.response, "model"), "claude-haiku-4-5");
  });
});

describe("a client's patience", () => {
  test("is kept to", async () => {
    const content = unique();
    await fault({ model: "gpt-6-luna", contains: content }, "latency=20000ms");
    const refused = ask(SLOW, content, {}, { "cf-aig-request-timeout": "200", "cf-aig-max-attempts": "1" });
    await assert.rejects(refused, (error) => error.status === 504);
    assert.equal((await seen(content)).length, 1);
  });

  test("that does not read is refused, by its name", async () => {
    const refused = ask(SLOW, unique(), {}, { "cf-aig-backoff": "sometimes" });
    await assert.rejects(refused, (error) => error.status === 400 && error.param === "cf-aig-backoff");
  });
});
