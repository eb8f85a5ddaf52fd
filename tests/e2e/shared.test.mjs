// What isolates share outlives each of them: how quick targets are, what leases have let in, and what KV has counted, over a restart of workerd.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startWithQueue, until } from "./support/jobs.mjs";
import { chat, fault, unique } from "./support/local.mjs";

async function withGateway(config, use) {
  const gateway = await startWithQueue({ GATEWAY_CONFIG: JSON.stringify(config) });
  try {
    await use(gateway);
  } finally {
    await gateway.stop();
  }
}

const ask = async (gateway, model, more = {}) => {
  const response = await chat(gateway.url, { model, max_tokens: 16, messages: [{ role: "user", content: unique() }], ...more });
  return { status: response.status, headers: response.headers, body: await response.json() };
};

test("a new isolate knows from the others which target is the quickest", async () => {
  const run = unique("m").replace(/[^a-z0-9]/g, "");
  // The quick one is the last: an isolate by itself would try the others before it.
  const slow = [0, 1, 2, 3, 4, 5].map((n) => `${run}-slow-${n}`);
  const models = [...slow, `${run}-quick`];
  for (const model of slow) await fault({ model }, "latency=250ms");
  const routes = { quickest: { fastest: models.map((model) => `openai/${model}`) } };
  await withGateway({ routes, share_paces_seconds: 1 }, async (gateway) => {
    for (const model of models) assert.equal((await ask(gateway, `openai/${model}`)).status, 200);
    await until(async () => {
      await ask(gateway, "quickest");
      const kept = await gateway.kept("paces");
      return kept && models.every((model) => kept[`openai/${model}`]);
    }, "what this isolate measured");

    await gateway.restart();
    // Behind its first answer an isolate learns what others know.
    await ask(gateway, "quickest");
    await sleep(1_500);
    const models_asked = [];
    for (let n = 0; n < 10; n += 1) models_asked.push((await ask(gateway, "quickest")).body.model);
    const quick = models_asked.filter((model) => model.endsWith("-quick"));
    // One request in twenty measures another one anew.
    assert.ok(quick.length >= 7, models_asked.join(" "));
  });
});

test("what leases have let in is not let in again by a new isolate", () =>
  withGateway({ limits: ["5 requests per month per ip on leased"] }, async (gateway) => {
    const statuses = async (count) => {
      const found = [];
      for (let n = 0; n < count; n += 1) found.push((await ask(gateway, "openai/gpt-4o-mini")).status);
      return found;
    };
    const before = (await statuses(8)).filter((status) => status === 200).length;
    assert.ok(before >= 1 && before <= 5, `${before} were let in`);
    await gateway.restart();
    const after = (await statuses(8)).filter((status) => status === 200).length;
    assert.ok(before + after <= 5, `${before} and then ${after} were let in`);
  }));

test("what was counted in KV is known to a new isolate", () =>
  withGateway({ limits: ["5 requests per month per ip on kv"] }, async (gateway) => {
    for (let n = 0; n < 5; n += 1) assert.equal((await ask(gateway, "openai/gpt-4o-mini")).status, 200);
    assert.equal((await ask(gateway, "openai/gpt-4o-mini")).status, 429);
    // An isolate tells the others every ten seconds, behind an answer.
    await until(async () => {
      await ask(gateway, "openai/gpt-4o-mini");
      return (await gateway.kept("limits/")) === 5;
    }, "the count in KV");
    await gateway.restart();
    const refused = await until(async () => {
      const { status, body } = await ask(gateway, "openai/gpt-4o-mini");
      return status === 429 && body.error;
    }, "the refusal of a new isolate");
    assert.equal(refused.code, "rate_limit_exceeded");
  }));
