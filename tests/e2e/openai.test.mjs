// OpenAI's own SDK, unmodified, against every provider: one client for all of them.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import OpenAI from "openai";
import { GATEWAY_URL, unique } from "./support/local.mjs";

const client = new OpenAI({ baseURL: `${GATEWAY_URL}/v1`, apiKey: "a-key" });

const PROVIDERS = [
  { name: "openai", model: "openai/gpt-6-luna", embedding: "openai/text-embedding-3-small", dimensions: 1536 },
  { name: "anthropic", model: "anthropic/claude-haiku-4-5" },
  { name: "gemini", model: "gemini/gemini-3.8-flash", embedding: "gemini/gemini-embedding-001", dimensions: 3072 },
  {
    name: "bedrock",
    model: "bedrock/global.anthropic.claude-haiku-4-5-20251001-v1:0",
    embedding: "bedrock/amazon.titan-embed-text-v2:0",
    dimensions: 1024,
  },
  {
    name: "workers-ai",
    model: "workers-ai/@cf/meta/llama-3.3-70b-instruct-fp8-fast",
    vision: "workers-ai/@cf/meta/llama-4-scout-17b-16e-instruct",
    embedding: "workers-ai/@cf/baai/bge-small-en-v1.5",
    dimensions: 384,
  },
  { name: "workers-ai, OpenAI's dialect", model: "workers-ai/@cf/openai/gpt-oss-120b" },
];

const WEATHER = {
  type: "function",
  function: {
    name: "get_weather",
    description: "Get the current weather in a city",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

for (const { name, model, vision = model, embedding, dimensions } of PROVIDERS) {
  describe(name, () => {
    test("answers a chat", async () => {
      const content = unique("The capital of France is Paris. What is the capital of France?");
      const answer = await client.chat.completions.create({ model, messages: [{ role: "user", content }] });
      assert.equal(answer.object, "chat.completion");
      assert.ok(answer.choices[0].message.content.length > 0);
      assert.equal(answer.choices[0].finish_reason, "stop");
      const { prompt_tokens, completion_tokens, total_tokens } = answer.usage;
      assert.ok(prompt_tokens > 0 && completion_tokens > 0);
      assert.equal(total_tokens, prompt_tokens + completion_tokens);
    });

    test("streams the same answer", async () => {
      const messages = [{ role: "user", content: unique("Bears sleep in winter. When do bears sleep?") }];
      const stream = client.chat.completions.stream({ model, messages, stream_options: { include_usage: true } });
      let deltas = "";
      let frames = 0;
      stream.on("content", (delta) => {
        deltas += delta;
        frames += 1;
      });
      const streamed = await stream.finalChatCompletion();
      assert.equal(streamed.choices[0].message.content, deltas);
      assert.ok(frames > 1, "one frame is no stream");
      assert.ok(streamed.usage.total_tokens > 0);
      const whole = await client.chat.completions.create(
        { model, messages },
        { headers: { "cache-control": "no-store" } },
      );
      assert.equal(whole.choices[0].message.content, deltas);
    });

    test("shows no usage to a stream that did not ask", async () => {
      const stream = await client.chat.completions.create({
        model,
        messages: [{ role: "user", content: unique() }],
        stream: true,
      });
      for await (const chunk of stream) {
        assert.equal(chunk.choices.length, 1);
        assert.ok(!chunk.usage);
      }
    });

    for (const stream of [false, true]) {
      test(`calls a tool and takes its result${stream ? ", streamed" : ""}`, async () => {
        const messages = [{ role: "user", content: unique("What is the weather in Lisbon?") }];
        const ask = (request) =>
          stream
            ? client.chat.completions.stream(request).finalChatCompletion()
            : client.chat.completions.create(request);

        const first = await ask({ model, messages, tools: [WEATHER], tool_choice: "required" });
        assert.equal(first.choices[0].finish_reason, "tool_calls");
        const [call] = first.choices[0].message.tool_calls;
        assert.equal(call.function.name, "get_weather");
        assert.equal(typeof JSON.parse(call.function.arguments).city, "string");
        assert.ok(call.id);

        messages.push(first.choices[0].message);
        messages.push({ role: "tool", tool_call_id: call.id, content: "21 degrees and sunny" });
        const second = await ask({ model, messages, tools: [WEATHER] });
        assert.equal(second.choices[0].finish_reason, "stop");
        assert.match(second.choices[0].message.content, /21 degrees/);
      });
    }

    test("answers in a schema", async () => {
      const schema = {
        type: "object",
        properties: { city: { type: "string" }, population: { type: "integer" } },
        required: ["city", "population"],
        additionalProperties: false,
      };
      const answer = await client.chat.completions.create({
        model,
        messages: [{ role: "user", content: unique("Lisbon has 545000 people. Which city, and how many?") }],
        response_format: { type: "json_schema", json_schema: { name: "city", schema, strict: true } },
      });
      const value = JSON.parse(answer.choices[0].message.content);
      assert.equal(typeof value.city, "string");
      assert.ok(Number.isInteger(value.population));
    });

    test("sees a picture", async () => {
      const url =
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
      const answer = await client.chat.completions.create({
        model: vision,
        messages: [
          { role: "user", content: [{ type: "text", text: unique("What is this?") }, { type: "image_url", image_url: { url } }] },
        ],
      });
      assert.ok(answer.choices[0].message.content.length > 0);
    });

    test("tells an error by its class", async () => {
      const content = unique("[[fault: status=400]]");
      await assert.rejects(
        client.chat.completions.create({ model, messages: [{ role: "user", content }] }),
        (error) => error instanceof OpenAI.BadRequestError && error.requestID?.startsWith("req_"),
      );
    });

    if (embedding) {
      test("embeds", async () => {
        const answer = await client.embeddings.create({ model: embedding, input: ["a cat", "a dog"] });
        assert.deepEqual(answer.data.map(({ index }) => index), [0, 1]);
        assert.equal(answer.data[0].embedding.length, dimensions);
        const floats = await client.embeddings.create({ model: embedding, input: "a cat", encoding_format: "float" });
        floats.data[0].embedding.forEach((value, at) => {
          assert.ok(Math.abs(value - answer.data[0].embedding[at]) < 1e-6);
        });
      });
    } else if (name === "anthropic") {
      test("has no embeddings and says so", async () => {
        await assert.rejects(
          client.embeddings.create({ model: "anthropic/any", input: "a" }),
          (error) => error.status === 400 && /embeddings/.test(error.message),
        );
      });
    }
  });
}

describe("models", () => {
  test("are listed and can be looked up", async () => {
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    for (const prefix of ["smart", "fast", "openai/", "anthropic/", "workers-ai/@cf/"]) {
      assert.ok(ids.some((id) => id.startsWith(prefix)), prefix);
    }
    const model = await client.models.retrieve(ids.find((id) => id.startsWith("workers-ai/")));
    assert.equal(model.owned_by, "workers-ai");
    await assert.rejects(client.models.retrieve("nobody/nothing"), OpenAI.NotFoundError);
  });

  test("that do not exist are named", async () => {
    await assert.rejects(
      client.chat.completions.create({ model: "no-such-model", messages: [{ role: "user", content: "x" }] }),
      (error) => error instanceof OpenAI.NotFoundError && error.code === "model_not_found" && error.param === "model",
    );
  });

  test("may be asked for without their provider", async () => {
    for (const model of ["@cf/zai-org/glm-4.7-flash", "gpt-6-luna", "smart"]) {
      const answer = await client.chat.completions.create({ model, messages: [{ role: "user", content: unique() }] });
      assert.ok(answer.choices[0].message.content, model);
    }
  });
});
