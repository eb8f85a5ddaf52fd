// Anthropic's own SDK, unmodified, against every provider.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { GATEWAY_URL, unique } from "./support/local.mjs";

const client = new Anthropic({ baseURL: GATEWAY_URL, apiKey: "a-key" });

const MODELS = [
  "anthropic/claude-haiku-4-5",
  "bedrock/global.anthropic.claude-haiku-4-5-20251001-v1:0",
  "openai/gpt-4o-mini",
  "gemini/gemini-3.8-flash",
  "workers-ai/@cf/meta/llama-3.3-70b-instruct-fp8-fast",
  "workers-ai/@cf/openai/gpt-oss-120b",
];

const WEATHER = {
  name: "get_weather",
  description: "Get the current weather in a city",
  input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};

const text = (message) => message.content.filter(({ type }) => type === "text").map(({ text }) => text).join("");

for (const model of MODELS) {
  describe(model, () => {
    const ask = (content, more) => ({ model, max_tokens: 500, messages: [{ role: "user", content }], ...more });

    test("answers", async () => {
      const message = await client.messages.create(ask(unique("Bears sleep in winter. When do bears sleep?"), { system: "Be brief." }));
      assert.equal(message.type, "message");
      assert.equal(message.role, "assistant");
      assert.ok(text(message).length > 0);
      assert.equal(message.stop_reason, "end_turn");
      assert.ok(message.usage.input_tokens > 0 && message.usage.output_tokens > 0);
    });

    test("streams the same answer", async () => {
      const request = ask(unique("Bears sleep in winter. When do bears sleep?"));
      const stream = client.messages.stream(request);
      let deltas = "";
      stream.on("text", (delta) => (deltas += delta));
      const message = await stream.finalMessage();
      assert.equal(text(message), deltas);
      assert.ok(deltas.length > 0);
      assert.ok(message.usage.output_tokens > 0);
      const whole = await client.messages.create(request, { headers: { "cache-control": "no-store" } });
      assert.equal(text(whole), deltas);
    });

    for (const stream of [false, true]) {
      test(`calls a tool and takes its result${stream ? ", streamed" : ""}`, async () => {
        const send = (request) => (stream ? client.messages.stream(request).finalMessage() : client.messages.create(request));
        const request = ask(unique("What is the weather in Lisbon?"), { tools: [WEATHER], tool_choice: { type: "any" } });
        const first = await send(request);
        assert.equal(first.stop_reason, "tool_use");
        const call = first.content.find(({ type }) => type === "tool_use");
        assert.equal(call.name, "get_weather");
        assert.equal(typeof call.input.city, "string");

        const messages = [
          ...request.messages,
          { role: "assistant", content: first.content },
          { role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: "21 degrees and sunny" }] },
        ];
        const second = await send({ ...request, tool_choice: undefined, messages });
        assert.equal(second.stop_reason, "end_turn");
        assert.match(text(second), /21 degrees/);
      });
    }

    test("breaks off with an error", async () => {
      const content = unique("Tell a long story about bears and foxes. [[fault: cut=6]]");
      await assert.rejects(client.messages.stream(ask(content)).finalMessage());
    });

    test("tells an error by its class", async () => {
      await assert.rejects(client.messages.create(ask(unique("[[fault: status=400]]"))), Anthropic.BadRequestError);
    });
  });
}

for (const model of MODELS.slice(0, 2)) {
  test(`thoughts and their signatures go around with ${model}`, async () => {
    const thinking = { type: "enabled", budget_tokens: 1_024 };
    const messages = [{ role: "user", content: unique("How many bears?") }];
    const first = await client.messages.create({ model, max_tokens: 2_000, thinking, messages });
    const thought = first.content.find(({ type }) => type === "thinking");
    assert.ok(thought.signature);
    messages.push({ role: "assistant", content: first.content }, { role: "user", content: "And foxes?" });
    // The stand-in refuses a signature that is not its own.
    const second = await client.messages.create({ model, max_tokens: 2_000, thinking, messages });
    assert.equal(second.stop_reason, "end_turn");
  });
}

describe("a wrong request", () => {
  const post = (body) =>
    fetch(`${GATEWAY_URL}/v1/messages`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

  for (const [what, body, field] of [
    ["without max_tokens", { model: "anthropic/claude-haiku-4-5", messages: [{ role: "user", content: "x" }] }, "max_tokens"],
    ["without messages", { model: "anthropic/claude-haiku-4-5", max_tokens: 9 }, "messages"],
    ["with a role that does not exist", { model: "anthropic/x", max_tokens: 9, messages: [{ role: "robot", content: "x" }] }, "messages[0].role"],
  ]) {
    test(`${what} is refused in Anthropic's words`, async () => {
      const response = await post(body);
      assert.equal(response.status, 400);
      const { type, error } = await response.json();
      assert.equal(type, "error");
      assert.equal(error.type, "invalid_request_error");
      assert.ok(error.message.includes(field), error.message);
      assert.match(response.headers.get("request-id"), /^req_/);
    });
  }

  test("for a model that does not exist is a 404", async () => {
    await assert.rejects(
      client.messages.create({ model: "no-such-model", max_tokens: 9, messages: [{ role: "user", content: "x" }] }),
      Anthropic.NotFoundError,
    );
  });
});
