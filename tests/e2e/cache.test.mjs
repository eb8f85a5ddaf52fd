// A repeated question is answered without the provider, and never across tenants.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startGateway } from "./support/gateway.mjs";
import { chat, events, seen, unique } from "./support/local.mjs";

let gateway;
before(async () => (gateway = await startGateway()));
after(() => gateway.stop());

const body = (content, more) => ({ model: "openai/gpt-6-luna", messages: [{ role: "user", content }], ...more });
const status = (response) => response.headers.get("x-edge-ai-cache");

/** The cache is written after the answer: the next question may come a moment too early. */
async function hit(request, options) {
  for (let tries = 0; tries < 40; tries += 1) {
    const response = await chat(gateway.url, request, options);
    if (status(response) === "hit") return response;
    await response.text();
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return assert.fail("never a hit");
}

describe("a repeated question", () => {
  test("is a hit, byte for byte, and the provider is not called", async () => {
    const content = unique();
    const first = await chat(gateway.url, body(content));
    assert.equal(status(first), "miss");
    const answer = await first.text();
    assert.equal((await seen(content)).length, 1);
    const again = await hit(body(content));
    assert.equal(await again.text(), answer);
    const calls = (await seen(content)).length;
    await hit(body(content));
    assert.equal((await seen(content)).length, calls);
  });

  test("is a hit with its fields in another order", async () => {
    const content = unique();
    await chat(gateway.url, body(content, { temperature: 0.5 })).then((response) => response.text());
    const reordered = `{ "temperature": 0.5, "messages": [ {"content": "${content}", "role": "user"} ],\n"model": "openai/gpt-6-luna" }`;
    assert.equal(status(await hit(reordered)), "hit");
  });

  test("is a hit as a stream, and the other way around", async () => {
    const whole = unique();
    const answer = await (await chat(gateway.url, body(whole))).json();
    const replay = events(await (await hit(body(whole, { stream: true }))).text());
    assert.equal(replay.at(-1), "[DONE]");
    const text = replay.slice(0, -1).map((data) => JSON.parse(data).choices[0]?.delta.content ?? "").join("");
    assert.equal(text, answer.choices[0].message.content);

    const streamed = unique();
    const data = events(await (await chat(gateway.url, body(streamed, { stream: true }))).text());
    const said = data.slice(0, -1).map((frame) => JSON.parse(frame).choices[0]?.delta.content ?? "").join("");
    const kept = await (await hit(body(streamed))).json();
    assert.equal(kept.choices[0].message.content, said);
    assert.equal(kept.choices[0].finish_reason, "stop");
  });

  test("of another tenant is not", async () => {
    const content = unique();
    const as = (key) => ({ headers: { authorization: `Bearer ${key}` } });
    await chat(gateway.url, body(content), as("key-of-one")).then((response) => response.text());
    await hit(body(content), as("key-of-one"));
    assert.equal(status(await chat(gateway.url, body(content), as("key-of-another"))), "miss");
    assert.equal(status(await chat(gateway.url, body(content))), "miss");
  });

  test("with another meaning is not", async () => {
    const content = unique();
    await chat(gateway.url, body(content)).then((response) => response.text());
    await hit(body(content));
    for (const more of [{ temperature: 0.1 }, { seed: 1 }, { x_unknown: 1 }, { max_completion_tokens: 9 }]) {
      assert.equal(status(await chat(gateway.url, body(content, more))), "miss", JSON.stringify(more));
    }
  });
});

describe("a client's wish", () => {
  test("for a fresh answer is met", async () => {
    const content = unique();
    await chat(gateway.url, body(content)).then((response) => response.text());
    await hit(body(content));
    const fresh = await chat(gateway.url, body(content), { headers: { "cache-control": "no-cache" } });
    assert.equal(status(fresh), "miss");
    const passed = await chat(gateway.url, body(content), { headers: { "cf-aig-skip-cache": "true" } });
    assert.equal(status(passed), "bypass");
  });

  test("for several answers passes the cache by", async () => {
    const response = await chat(gateway.url, body(unique(), { n: 2 }));
    assert.equal(status(response), "bypass");
    assert.equal((await response.json()).choices.length, 2);
  });
});
