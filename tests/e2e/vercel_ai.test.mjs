// Vercel's AI SDK, unmodified, this major version and the one before, by each of its providers that take a base URL, against every provider of ours.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as ai from "ai";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import * as ai6 from "ai-6";
import { createAnthropic as createAnthropic6 } from "ai-6-anthropic";
import { createOpenAI as createOpenAI6 } from "ai-6-openai";
import { createOpenAICompatible as createOpenAICompatible6 } from "ai-6-openai-compatible";
import { unique } from "./support/local.mjs";
import { CITY, MODELS, PIXEL, PLACE, SHOWS_THOUGHTS, startWithAll } from "./support/providers.mjs";

let gateway;
before(async () => {
  gateway = await startWithAll();
});
after(() => gateway.stop());

const settings = () => ({ baseURL: `${gateway.url}/v1`, apiKey: "a-key" });
const thinking = { anthropic: { thinking: { type: "enabled", budgetTokens: 1024 } } };
/** The SDK refers to what OpenAI keeps unless it is told that nothing is kept. */
const stateless = { openai: { store: false } };
const effort = (name) => ({ [name]: { reasoningEffort: "high" } });

/** By which of the SDK's providers: the model it makes of a name, what it wants to be told for thoughts, and whose thoughts it shows. */
const CLIENTS = [
  {
    name: "ai 7, openai chat",
    sdk: ai,
    model: (name) => createOpenAI(settings()).chat(name),
    reasoning: effort("openai"),
    // It does not know the field that compatible servers show thoughts in.
    shows: [],
  },
  {
    name: "ai 7, openai responses",
    sdk: ai,
    model: (name) => createOpenAI(settings()).responses(name),
    // It takes a model for one that thinks by OpenAI's names alone.
    reasoning: { openai: { reasoningEffort: "high", reasoningSummary: "auto", forceReasoning: true, store: false } },
    shows: ["openai", ...SHOWS_THOUGHTS],
  },
  {
    name: "ai 7, anthropic",
    sdk: ai,
    model: (name) => createAnthropic(settings())(name),
    reasoning: thinking,
    shows: SHOWS_THOUGHTS,
  },
  {
    name: "ai 7, openai-compatible",
    sdk: ai,
    model: (name) => createOpenAICompatible({ ...settings(), name: "ours", includeUsage: true, supportsStructuredOutputs: true })(name),
    reasoning: effort("ours"),
    shows: SHOWS_THOUGHTS,
  },
  { name: "ai 6, openai chat", sdk: ai6, model: (name) => createOpenAI6(settings()).chat(name), reasoning: effort("openai"), shows: [] },
  {
    name: "ai 6, openai responses",
    sdk: ai6,
    model: (name) => createOpenAI6(settings()).responses(name),
    reasoning: { openai: { reasoningEffort: "high", reasoningSummary: "auto", forceReasoning: true, store: false } },
    shows: ["openai", ...SHOWS_THOUGHTS],
  },
  { name: "ai 6, anthropic", sdk: ai6, model: (name) => createAnthropic6(settings())(name), reasoning: thinking, shows: SHOWS_THOUGHTS },
  {
    name: "ai 6, openai-compatible",
    sdk: ai6,
    model: (name) => createOpenAICompatible6({ ...settings(), name: "ours", includeUsage: true, supportsStructuredOutputs: true })(name),
    reasoning: effort("ours"),
    shows: SHOWS_THOUGHTS,
  },
];

for (const { name, sdk, model: open, reasoning, shows } of CLIENTS) {
  for (const [provider, id] of Object.entries(MODELS)) {
    // The version before writes the same requests: two dialects of vendors show that.
    if (sdk === ai6 && !["anthropic", "gemini"].includes(provider)) continue;
    describe(`${name} to ${provider}`, { concurrency: true }, () => {
      const { generateText, streamText, generateObject, jsonSchema, stepCountIs, tool, APICallError } = sdk;
      const asked = (prompt, more) => ({ model: open(id), prompt: unique(prompt), maxRetries: 0, ...more });
      const tools = () => {
        const called = [];
        const execute = (what) => async ({ city }) => {
          called.push(`${what} ${city}`);
          return `21 degrees by ${what}`;
        };
        const inputSchema = jsonSchema(PLACE);
        return {
          called,
          tools: {
            get_weather: tool({ description: "Get the current weather in a city", inputSchema, execute: execute("weather") }),
            get_time: tool({ description: "Get the current time in a city", inputSchema, execute: execute("time") }),
          },
        };
      };

      test("generates text", async () => {
        const { text, usage, finishReason } = await generateText(
          asked("Bears sleep in winter. When do bears sleep?", { system: "Be brief.", maxOutputTokens: 2000 }),
        );
        assert.match(text, /winter/);
        assert.equal(finishReason, "stop");
        assert.ok(usage.inputTokens > 0 && usage.outputTokens > 0);
        assert.equal(usage.totalTokens, usage.inputTokens + usage.outputTokens);
      });

      test("streams text", async () => {
        const result = streamText(asked("Bears sleep in winter. When do bears sleep?", { onError: () => {} }));
        const pieces = [];
        for await (const piece of result.textStream) pieces.push(piece);
        assert.ok(pieces.length > 1, "one piece is no stream");
        assert.match(pieces.join(""), /winter/);
        assert.ok((await result.usage).outputTokens > 0);
        assert.equal(await result.finishReason, "stop");
      });

      for (const streamed of [false, true]) {
        test(`calls tools beside each other in several steps${streamed ? ", streamed" : ""}`, async () => {
          const { called, tools: both } = tools();
          const request = asked("What is the weather in both Lisbon and Paris?", { tools: both, stopWhen: stepCountIs(3), providerOptions: stateless, onError: () => {} });
          const result = streamed ? streamText(request) : await generateText(request);
          if (streamed) await result.consumeStream();
          assert.match(await result.text, /21 degrees/);
          assert.deepEqual(called.sort(), ["weather Lisbon", "weather Paris"]);
          assert.equal((await result.steps).length, 2);
        });
      }

      test("sees a picture", async () => {
        const image = Buffer.from(PIXEL, "base64");
        const content = [{ type: "text", text: unique("What is this?") }, { type: "image", image, mediaType: "image/png" }];
        const { text } = await generateText({ model: open(id), maxRetries: 0, messages: [{ role: "user", content }] });
        assert.match(text, /image\/png/);
      });

      test("generates an object", async () => {
        const { object } = await generateObject(asked("Lisbon has 545000 people. Which city, and how many?", { schema: jsonSchema(CITY) }));
        assert.equal(object.city, "Lisbon");
        assert.equal(object.population, 545_000);
      });

      if (shows.includes(provider)) {
        for (const streamed of [false, true]) {
          test(`shows thoughts, and sends them back with a tool's result${streamed ? ", streamed" : ""}`, async () => {
            const { tools: both } = tools();
            const request = asked("What is the weather in Lisbon?", {
              tools: { get_weather: both.get_weather },
              stopWhen: stepCountIs(2),
              providerOptions: reasoning,
              maxOutputTokens: 4000,
              onError: () => {},
            });
            const result = streamed ? streamText(request) : await generateText(request);
            if (streamed) await result.consumeStream();
            const [first, second] = await result.steps;
            assert.ok(first.reasoningText.length > 0);
            // The stand-in refuses a signature that is not its own.
            assert.match(second.text, /21 degrees/);
          });
        }
      }

      test("tells an error with its status", async () => {
        for (const status of [400, 404, 429, 500]) {
          await assert.rejects(generateText(asked(`[[fault: status=${status}]]`)), (error) => {
            assert.ok(APICallError.isInstance(error), `${error}`);
            assert.equal(error.statusCode, status);
            assert.equal(error.isRetryable, status === 429 || status === 500);
            return true;
          });
        }
      });

      test("raises an error within a stream", async () => {
        const errors = [];
        const result = streamText(
          asked("Tell a long story about bears and foxes. [[fault: error-event=6]]", { onError: ({ error }) => errors.push(error) }),
        );
        for await (const _ of result.textStream);
        assert.equal(errors.length, 1);
      });

      test("aborts", async () => {
        const controller = new AbortController();
        const request = asked("Tell a long story about bears and foxes. [[fault: hang-after=5]]", { abortSignal: controller.signal, onError: () => {} });
        const parts = [];
        setTimeout(() => controller.abort(), 1_000);
        for await (const part of streamText(request).fullStream) parts.push(part.type);
        assert.equal(parts.at(-1), "abort");
      });
    });
  }
}
