// OpenAI's and Anthropic's SDKs, unmodified, every feature of each against every provider: one table, one gateway.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { chatCompletions, messages, responses } from "./support/clients.mjs";
import { unique } from "./support/local.mjs";
import { CITY, MODELS, PIXEL, PLACE, SHOWS_THOUGHTS, startWithAll } from "./support/providers.mjs";

const TOOLS = [
  { name: "get_weather", description: "Get the current weather in a city", schema: PLACE },
  { name: "get_time", description: "Get the current time in a city", schema: PLACE },
];

let gateway;
before(async () => {
  gateway = await startWithAll();
});
after(() => gateway.stop());

for (const sdk of [chatCompletions, responses, messages]) {
  for (const [provider, model] of Object.entries(MODELS)) {
    describe(`${sdk.name} to ${provider}`, { concurrency: true }, () => {
      const request = (prompt, more) => sdk.request({ model, prompt: unique(prompt), ...more });
      const whole = (request) => sdk.whole(sdk.open(gateway.url), request);
      const streamed = (request) => sdk.final(sdk.stream(sdk.open(gateway.url), request));

      for (const [way, ask] of [["", whole], [", streamed", streamed]]) {
        test(`chats${way}`, async () => {
          const answer = await ask(request("Bears sleep in winter. When do bears sleep?"));
          assert.match(sdk.text(answer), /winter/);
          assert.equal(sdk.end(answer), sdk.ends.stop);
          for (const tokens of sdk.tokens(answer)) assert.ok(tokens > 0);
        });

        test(`stops at the limit of tokens${way}`, async () => {
          const answer = await ask({ ...request("Tell a long story about bears and foxes and wolves in the winter of the north?"), ...sdk.limit(16) });
          assert.equal(sdk.end(answer), sdk.ends.length);
        });

        test(`calls tools in parallel and takes their results${way}`, async () => {
          const asked = request("What is the weather in both Lisbon and Paris?", { tools: TOOLS });
          const first = await ask(asked);
          assert.equal(sdk.end(first), sdk.ends.calls);
          const calls = sdk.calls(first);
          assert.deepEqual(calls.map(({ name, input }) => `${name} ${input.city}`).sort(), ["get_weather Lisbon", "get_weather Paris"]);
          assert.equal(new Set(calls.map(({ id }) => id)).size, 2);
          const results = calls.map(({ id, input }) => ({ id, text: `21 in ${input.city}` }));
          const second = sdk.text(await ask(sdk.goOn(asked, first, results)));
          assert.match(second, /21 in Lisbon/);
          assert.match(second, /21 in Paris/);
        });

        test(`sees a picture${way}`, async () => {
          assert.match(sdk.text(await ask(request("What is this?", { image: PIXEL }))), /image\/png/);
        });

        test(`answers in a schema${way}`, async () => {
          const answer = await ask(request("Lisbon has 545000 people. Which city, and how many?", { schema: CITY }));
          assert.deepEqual(JSON.parse(sdk.text(answer)), { city: "Lisbon", population: 545_000 });
        });

        if (SHOWS_THOUGHTS.includes(provider) || (provider === "openai" && sdk === responses)) {
          test(`thinks, and takes its thoughts back with a tool's result${way}`, async () => {
            const asked = request("What is the weather in Lisbon?", { thinks: true, tools: TOOLS.slice(0, 1) });
            const first = await ask(asked);
            assert.ok(sdk.thought(first).length > 0);
            const results = sdk.calls(first).map(({ id }) => ({ id, text: "21 degrees" }));
            assert.equal(results.length, 1);
            // The stand-in refuses a signature that is not its own.
            assert.match(sdk.text(await ask(sdk.goOn(asked, first, results))), /21 degrees/);
          });
        }
      }

      for (const [status, kind] of Object.entries(sdk.errors)) {
        test(`raises ${kind.name}`, async () => {
          await assert.rejects(whole(request(`[[fault: status=${status}]]`)), kind);
        });
      }

      for (const fault of ["error-event=6", "cut=6", "end=6"]) {
        test(`raises what breaks a stream: ${fault}`, async () => {
          await assert.rejects(streamed(request(`Tell a long story about bears and foxes. [[fault: ${fault}]]`)));
        });
      }

      test("can be aborted in the middle", async () => {
        const controller = new AbortController();
        const asked = request("Tell a long story about bears and foxes. [[fault: hang-after=5]]");
        const stream = sdk.stream(sdk.open(gateway.url), asked, { signal: controller.signal });
        let events = 0;
        await assert.rejects(async () => {
          for await (const _ of stream) {
            events += 1;
            controller.abort();
          }
        }, sdk.aborted);
        assert.ok(events > 0);
      });
    });
  }
}
