// The configuration in Workers KV: taken up while the gateway serves, and refused when it is wrong.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI from "openai";
import { startGateway } from "./support/gateway.mjs";
import { unique } from "./support/local.mjs";

let gateway, client;
before(async () => {
  gateway = await startGateway({ config: { routes: { bundled: "openai/gpt-4o-mini" } } });
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "a-key", maxRetries: 0 });
});
after(() => gateway?.stop());

const status = (model) =>
  client.chat.completions.create({ model, messages: [{ role: "user", content: unique() }] }).then(
    () => 200,
    (error) => error.status,
  );

/** Asks for `model` until it is answered with `wanted`, as a change is taken up within a minute. */
async function becomes(model, wanted) {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    if ((await status(model)) === wanted) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  assert.fail(`${model} was not answered with ${wanted} within a minute`);
}

test("a change is taken up without a deploy, and a bad one leaves the last good one", async () => {
  assert.equal(await status("bundled"), 200);
  await gateway.publish('[routes]\nsmart = { fallback = ["nobody/x", "openai/gpt-4o-mini"] }\n');
  await gateway.publish('[routes]\nsmart = { fallback = ["anthropic/claude-haiku-4-5", "openai/gpt-4o-mini"] }\n');
  await becomes("smart", 200);
  assert.equal(await status("bundled"), 404);

  await gateway.publish('[routes]\nsmart = "nobody/x"\n');
  const refused = /the configuration was refused: .*line 2, column 9: `routes.smart`: .*nobody/;
  for (const end = Date.now() + 60_000; Date.now() < end && !gateway.log.some((line) => refused.test(line)); ) {
    assert.equal(await status("smart"), 200);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  assert.ok(gateway.log.some((line) => refused.test(line)), gateway.log.join("\n"));
  assert.equal(await status("smart"), 200);
});
