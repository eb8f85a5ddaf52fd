// What an operator sets and sees: keys, limits, accounts, and what a wrong setting says.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startGateway } from "./support/gateway.mjs";
import { chat, events, unique } from "./support/local.mjs";

const body = (more) => ({ model: "openai/gpt-4o-mini", messages: [{ role: "user", content: unique() }], ...more });

async function withGateway(vars, use) {
  const gateway = await startGateway(vars);
  try {
    await use(gateway);
  } finally {
    await gateway.stop();
  }
}

test("a limit holds for each address and says when to come back", () =>
  withGateway({ config: { limits: [{ name: "ip", measure: "requests", amount: 3, window: "minute", per: ["ip"] }] } }, async ({ url }) => {
    const from = (address) => chat(url, body(), { headers: { "cf-connecting-ip": address } });
    for (const left of [2, 1, 0]) {
      const response = await from("203.0.113.1");
      assert.equal(response.status, 200);
      assert.equal(response.headers.get("ratelimit-policy"), '"ip";q=3;w=60');
      assert.match(response.headers.get("ratelimit"), new RegExp(`^"ip";r=${left};t=\\d+$`));
      assert.equal(response.headers.get("x-ratelimit-limit-requests"), "3");
      assert.equal(response.headers.get("x-ratelimit-remaining-requests"), String(left));
    }
    const denied = await from("203.0.113.1");
    assert.equal(denied.status, 429);
    const wait = Number(denied.headers.get("retry-after"));
    assert.ok(wait > 0 && wait <= 20, `retry-after: ${wait}`);
    assert.match(denied.headers.get("ratelimit"), new RegExp(`^"ip";r=0;t=${wait}$`));
    const { error } = await denied.json();
    assert.equal(error.code, "rate_limit_exceeded");
    assert.equal((await from("203.0.113.2")).status, 200);
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
  }));

test("keys are asked for when there are some, and name their tenant", () =>
  withGateway({ GATEWAY_KEYS: "acme:sk-acme-000001,globex:sk-globex-0001" }, async ({ url, records }) => {
    const as = (key) => chat(url, body(), { headers: key && { authorization: `Bearer ${key}` } });
    for (const [key, code] of [[undefined, "missing_api_key"], ["sk-wrong-000001", "invalid_api_key"]]) {
      const response = await as(key);
      assert.equal(response.status, 401);
      assert.equal((await response.json()).error.code, code);
    }
    assert.equal((await as("sk-globex-0001")).status, 200);
    const [row] = await records(1);
    assert.equal(row.tenant, "globex");
  }));

test("every request has one record, in D1 and as a log line", () =>
  withGateway({}, async ({ url, records, log }) => {
    const whole = await chat(url, body());
    const { usage } = await whole.json();
    const streamed = await chat(url, body({ stream: true }));
    await streamed.text();
    await chat(url, body({ messages: [] }));

    const rows = await records(3);
    assert.equal(rows.length, 3);
    const [first, second, third] = rows;
    assert.equal(first.request_id, whole.headers.get("x-request-id"));
    assert.equal(first.provider, "openai");
    assert.equal(first.input_tokens, usage.prompt_tokens);
    assert.equal(first.output_tokens, usage.completion_tokens);
    // $0.15 and $0.60 for a million tokens.
    assert.equal(first.cost_nano_dollars, usage.prompt_tokens * 150 + usage.completion_tokens * 600);
    assert.equal(first.outcome, "ok");
    assert.equal(first.stream, 0);
    assert.equal(JSON.parse(first.attempts).length, 1);
    assert.equal(second.stream, 1);
    assert.ok(second.time_to_first_token_ms >= 0 && second.output_tokens > 0);
    assert.equal(third.outcome, "invalid_request");
    assert.equal(third.input_tokens, null);

    const lines = log.filter((line) => line.includes(first.request_id));
    assert.equal(lines.length, 1);
    const record = JSON.parse(lines[0].slice(lines[0].indexOf("{")));
    assert.equal(record.request_id, first.request_id);
    assert.equal(record.cost, first.cost_nano_dollars);
    assert.deepEqual(record.warnings, []);
  }));

test("a provider that is silent is given up in the time that is set", () =>
  withGateway(
    { config: { timeouts: { answer_seconds: 1, first_token_seconds: 1, idle_seconds: 1 } } },
    async ({ url, records }) => {
      const ask = (content, more) => chat(url, body({ messages: [{ role: "user", content: unique(content) }], ...more }));
      for (const more of [{}, { stream: true }]) {
        const hung = await ask("[[fault: hang]]", more);
        assert.equal(hung.status, 504);
        assert.match((await hung.json()).error.message, /1000 ms/);
      }
      const cut = await ask("Tell a long story about bears and foxes. [[fault: hang-after=5]]", { stream: true });
      const data = events(await cut.text());
      assert.match(JSON.parse(data.at(-1)).error.message, /silent/);
      assert.deepEqual((await records(3)).map(({ outcome }) => outcome), ["timeout", "timeout", "timeout"]);
    },
  ));

test("routes are a setting", () => {
  const routes = {
    paid: { when: { if: { metadata: { plan: "pro" } }, then: "anthropic/claude-haiku-4-5", else: "openai/gpt-4o-mini" } },
    split: { weighted: [{ route: "openai/gpt-4o-mini", weight: 1 }, { route: "anthropic/claude-haiku-4-5", weight: 1 }] },
  };
  return withGateway({ config: { routes, cache: {} } }, async ({ url }) => {
    const content = unique();
    const ask = async (model, plan) => {
      const headers = plan && { "cf-aig-metadata": JSON.stringify({ plan }) };
      const response = await chat(url, body({ model, messages: [{ role: "user", content }] }), { headers });
      assert.equal(response.status, 200, await response.clone().text());
      return response;
    };
    assert.equal((await ask("paid", "pro")).headers.get("x-edge-ai-provider"), "anthropic");
    // The same question on another plan: neither the model nor a kept answer of the first one.
    const free = await ask("paid", "free");
    assert.equal(free.headers.get("x-edge-ai-cache"), "miss");
    assert.equal(free.headers.get("x-edge-ai-provider"), "openai");
    assert.ok((await ask("split")).ok);
    assert.equal((await chat(url, body({ model: "smart" }))).status, 404);
  });
});

test("labels of the client are in its record", () =>
  withGateway({}, async ({ url, records }) => {
    const headers = { "cf-aig-metadata": '{"team":"search","step":3}' };
    assert.equal((await chat(url, body(), { headers })).status, 200);
    assert.deepEqual(JSON.parse((await records(1))[0].metadata), { step: "3", team: "search" });
    const refused = await chat(url, body(), { headers: { "cf-aig-metadata": "[]" } });
    assert.equal(refused.status, 400);
  }));

describe("a wrong setting", () => {
  for (const [vars, what] of [
    [{ OPENAI_BASE_URL: "ftp://example.com" }, /OPENAI_BASE_URL/],
    [{ GATEWAY_KEYS: "no-tenant" }, /tenant:key/],
    [{ GATEWAY_KEYS: "" }, /empty/],
    [{ GATEWAY_CONFIG: '{"routes": {\n"a": {"fastest": []}}}' }, /line 2, column \d+: this route has no target/],
    [{ GATEWAY_CONFIG: '[routes]\na = "nobody/x"' }, /line 2, column 5: `routes.a`: .*nobody/],
    [{ GATEWAY_CONFIG: 'limit = []' }, /line 1, column 1: unknown field `limit`/],
  ]) {
    test(`${Object.keys(vars)} is told: ${what}`, () =>
      withGateway(vars, async ({ url }) => {
        const response = await chat(url, body());
        assert.equal(response.status, 500);
        assert.match((await response.json()).error.message, what);
      }));
  }
});
