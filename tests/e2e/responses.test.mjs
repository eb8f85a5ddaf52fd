// The Responses API by OpenAI's own SDK, unmodified, against every provider: one client for all of them.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import OpenAI from "openai";
import { startGateway } from "./support/gateway.mjs";
import { GATEWAY_URL, LOCAL_URL, seen, unique } from "./support/local.mjs";

const WEATHER = {
  type: "function",
  name: "get_weather",
  description: "Get the current weather in a city",
  strict: true,
  parameters: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  },
};

const TIME = { ...WEATHER, name: "get_time", description: "Get the current time in a city" };

const CITY = {
  type: "object",
  properties: { city: { type: "string" }, population: { type: "integer" } },
  required: ["city", "population"],
  additionalProperties: false,
};

const PICTURE =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const LLAMA = "workers-ai/@cf/meta/llama-3.3-70b-instruct-fp8-fast";

let completions;
before(async () => {
  completions = await startGateway({ OPENAI_CHAT_API: "completions" });
});
after(() => completions.stop());

const at = (url) => new OpenAI({ baseURL: `${url}/v1`, apiKey: "a-key", maxRetries: 0 });

const PROVIDERS = [
  { name: "openai by responses", model: "openai/gpt-6-luna", reasons: true, verbatim: true },
  { name: "openai by chat completions", model: "openai/gpt-6-luna", other: true },
  { name: "anthropic", model: "anthropic/claude-haiku-4-5", reasons: true },
  { name: "workers-ai", model: LLAMA, vision: "workers-ai/@cf/meta/llama-4-scout-17b-16e-instruct" },
  { name: "workers-ai, OpenAI's dialect", model: "workers-ai/@cf/openai/gpt-oss-120b" },
];

for (const { name, model, vision = model, other, reasons, verbatim } of PROVIDERS) {
  describe(name, () => {
    const client = () => at(other ? completions.url : GATEWAY_URL);

    test("answers", async () => {
      const input = unique("The capital of France is Paris. What is the capital of France?");
      const answer = await client().responses.create({ model, instructions: "Be brief.", input, metadata: { a: "b" } });
      assert.ok(answer.output_text.length > 0);
      assert.match(answer.id, /^resp_/);
      assert.equal(answer.status, "completed");
      assert.deepEqual(answer.metadata, { a: "b" });
      assert.equal(answer.output.at(-1).type, "message");
      const { input_tokens, output_tokens, total_tokens } = answer.usage;
      assert.ok(input_tokens > 0 && output_tokens > 0);
      assert.equal(total_tokens, input_tokens + output_tokens);
    });

    test("streams the same answer", async () => {
      const input = unique("Bears sleep in winter. When do bears sleep?");
      const stream = client().responses.stream({ model, input });
      let deltas = "";
      let last = -1;
      const kinds = [];
      for await (const event of stream) {
        assert.equal(event.sequence_number, last + 1);
        last = event.sequence_number;
        kinds.push(event.type);
        if (event.type === "response.output_text.delta") deltas += event.delta;
      }
      const streamed = await stream.finalResponse();
      assert.equal(streamed.output_text, deltas);
      assert.equal(kinds[0], "response.created");
      assert.equal(kinds.at(-1), "response.completed");
      assert.ok(kinds.filter((kind) => kind === "response.output_text.delta").length > 1, "one delta is no stream");
      assert.ok(streamed.usage.total_tokens > 0);
      const whole = await client().responses.create({ model, input }, { headers: { "cache-control": "no-store" } });
      assert.equal(whole.output_text, deltas);
    });

    for (const streamed of [false, true]) {
      test(`calls tools beside each other and takes their results${streamed ? ", streamed" : ""}`, async () => {
        const ask = async (request) =>
          streamed ? client().responses.stream(request).finalResponse() : client().responses.create(request);
        const input = [{ role: "user", content: unique("What is the weather and the time in Lisbon?") }];
        const tools = [WEATHER, TIME];
        const first = await ask({ model, input, tools, tool_choice: "required" });
        const calls = first.output.filter((item) => item.type === "function_call");
        assert.ok(calls.length >= 1);
        assert.equal(new Set(calls.map((call) => call.call_id)).size, calls.length);
        for (const call of calls) assert.equal(typeof JSON.parse(call.arguments).city, "string");
        input.push(...first.output);
        for (const call of calls) {
          input.push({ type: "function_call_output", call_id: call.call_id, output: `21 degrees by ${call.name}` });
        }
        const second = await ask({ model, input, tools });
        assert.match(second.output_text, /21 degrees/);
      });
    }

    test("answers in a schema", async () => {
      const answer = await client().responses.parse({
        model,
        input: unique("Lisbon has 545000 people. Which city, and how many?"),
        text: { format: { type: "json_schema", name: "city", schema: CITY, strict: true } },
      });
      assert.equal(typeof answer.output_parsed.city, "string");
      assert.ok(Number.isInteger(answer.output_parsed.population));
    });

    test("sees a picture", async () => {
      const content = [
        { type: "input_text", text: unique("What is this?") },
        { type: "input_image", image_url: PICTURE, detail: "auto" },
      ];
      const answer = await client().responses.create({ model: vision, input: [{ role: "user", content }] });
      assert.ok(answer.output_text.length > 0);
    });

    test("tells an error by its class", async () => {
      await assert.rejects(
        client().responses.create({ model, input: unique("[[fault: status=400]]") }),
        (error) => error instanceof OpenAI.BadRequestError && error.requestID?.startsWith("req_"),
      );
    });

    for (const [what, fault] of [
      ["an error in a stream", "error-event=6"],
      ["a cut stream", "cut=6"],
      ["a stream without its end", "end=6"],
    ]) {
      test(`raises ${what}`, async () => {
        const kinds = [];
        await assert.rejects(async () => {
          const stream = await client().responses.create({
            model,
            input: unique(`Bears sleep in winter, says the book about bears. When do bears sleep? [[fault: ${fault}]]`),
            stream: true,
          });
          for await (const event of stream) kinds.push(event.type);
        }, OpenAI.APIError);
        assert.ok(!kinds.includes("response.completed"));
        assert.equal(kinds[0], "response.created");
      });
    }

    test("lets the vendor go when the client leaves", async () => {
      const question = unique("Bears sleep. When? [[fault: hang-after=5]]");
      const stream = await client().responses.create({ model, input: question, stream: true });
      for await (const event of stream) {
        if (event.type === "response.created") break;
      }
      assert.ok(stream.controller.signal.aborted);
    });

    test("keeps nothing, and says what to do instead", async () => {
      const request = { model, input: unique("And then?"), previous_response_id: "resp_1" };
      await assert.rejects(client().responses.create(request), (error) => {
        assert.equal(error.status, 400);
        assert.equal(error.param, "previous_response_id");
        // The one that keeps answers is asked, and has none of that name.
        if (verbatim) assert.equal(error.code, "previous_response_not_found");
        else assert.match(error.message, /send the conversation so far as `input`/);
        return true;
      });
    });

    test("counts tokens", async () => {
      const counted = await client().responses.inputTokens.count({ model, input: "What is the capital of France?" });
      assert.equal(counted.object, "response.input_tokens");
      assert.ok(counted.input_tokens > 3 && counted.input_tokens < 40, `${counted.input_tokens}`);
    });

    if (reasons) {
      test("thinks, and takes its thoughts back", async () => {
        const input = [{ role: "user", content: unique("What is the weather in Lisbon?") }];
        const asked = {
          model,
          tools: [WEATHER],
          reasoning: { effort: "high", summary: "auto" },
          include: ["reasoning.encrypted_content"],
          store: false,
        };
        for (const stream of [false, true]) {
          const turns = [...input];
          const ask = (request) =>
            stream ? client().responses.stream(request).finalResponse() : client().responses.create(request);
          const first = await ask({ ...asked, input: turns });
          const thought = first.output.find((item) => item.type === "reasoning");
          assert.ok(thought.summary[0].text.length > 0);
          assert.ok(thought.encrypted_content.length > 0);
          const call = first.output.find((item) => item.type === "function_call");
          turns.push(...first.output);
          if (call) turns.push({ type: "function_call_output", call_id: call.call_id, output: "21 degrees" });
          else turns.push({ role: "user", content: "Thank you." });
          const second = await ask({ ...asked, input: turns });
          assert.equal(second.status, "completed");
        }
      });
    }
  });
}

describe("a request in the vendor's own dialect", () => {
  test("reaches it byte for byte, but for the model", async () => {
    const text = unique();
    const body = `{ "model":"openai/gpt-6-luna",  "input":"${text}", "metadata":{"order":"1.10"},"truncation":"auto" }`;
    const answer = await fetch(`${GATEWAY_URL}/v1/responses`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    assert.equal(answer.status, 200);
    const [request] = await seen(text);
    assert.deepEqual(request.body, JSON.parse(body.replace("openai/", "")));
    assert.match(request.path, /\/responses$/);
  });

  test("has tools of the vendor's own, which others refuse by name", async () => {
    const client = at(GATEWAY_URL);
    const tools = [{ type: "web_search" }];
    const answer = await client.responses.create({ model: "openai/gpt-6-luna", input: unique(), tools });
    assert.equal(answer.status, "completed");
    for (const model of ["anthropic/claude-haiku-4-5", LLAMA]) {
      await assert.rejects(
        client.responses.create({ model, input: unique(), tools }),
        (error) => error.status === 400 && /^tools\[0\]/.test(error.param),
      );
    }
  });
});

describe("the other clients on OpenAI's Responses API", () => {
  let gateway;
  before(async () => {
    gateway = await startGateway({ OPENAI_CHAT_API: "responses" });
  });
  after(() => gateway.stop());

  test("chat completions: text, stream, tools", async () => {
    const client = at(gateway.url);
    const model = "openai/gpt-6-luna";
    const messages = [{ role: "user", content: unique("What is the weather in Lisbon?") }];
    const { strict, name, description, parameters } = WEATHER;
    const tools = [{ type: "function", function: { name, description, parameters, strict } }];
    for (const streamed of [false, true]) {
      const ask = (request) =>
        streamed ? client.chat.completions.stream(request).finalChatCompletion() : client.chat.completions.create(request);
      const first = await ask({ model, messages, tools, tool_choice: "required" });
      assert.equal(first.choices[0].finish_reason, "tool_calls");
      assert.match(first.id, /^chatcmpl-/);
      const [call] = first.choices[0].message.tool_calls;
      const result = { role: "tool", tool_call_id: call.id, content: "21 degrees and sunny" };
      const second = await ask({ model, messages: [...messages, first.choices[0].message, result], tools });
      assert.match(second.choices[0].message.content, /21 degrees/);
    }
  });

  test("messages: a thought survives the way there and back", async () => {
    const { default: Anthropic } = await import("@anthropic-ai/sdk");
    const client = new Anthropic({ baseURL: gateway.url, apiKey: "a-key", maxRetries: 0 });
    const { name, description, parameters } = WEATHER;
    const asked = {
      model: "openai/gpt-6-luna",
      max_tokens: 4096,
      thinking: { type: "enabled", budget_tokens: 2048 },
      tools: [{ name, description, input_schema: parameters }],
    };
    const messages = [{ role: "user", content: unique("What is the weather in Lisbon?") }];
    const first = await client.messages.stream({ ...asked, messages }).finalMessage();
    assert.match(first.id, /^msg_/);
    const thought = first.content.find((block) => block.type === "thinking");
    assert.match(thought.signature, /^openai\.responses:rs_/);
    const call = first.content.find((block) => block.type === "tool_use");
    const result = { type: "tool_result", tool_use_id: call.id, content: "21 degrees" };
    messages.push({ role: "assistant", content: first.content }, { role: "user", content: [result] });
    // The stand-in refuses a thought that is not its own.
    const second = await client.messages.create({ ...asked, messages });
    assert.match(second.content.at(-1).text, /21 degrees/);
  });
});

test("an answer is cached by meaning, whichever dialect asks", async () => {
  const gateway = await startGateway({ config: { cache: { default: { ttl_seconds: 60 } } } });
  try {
    const client = at(gateway.url);
    const model = LLAMA;
    const content = unique("Bears sleep in winter. When do bears sleep?");
    const first = await client.chat.completions.create({ model, messages: [{ role: "user", content }] });
    const { data, response } = await client.responses.create({ model, input: content }).withResponse();
    assert.equal(response.headers.get("x-edge-ai-cache"), "hit");
    assert.equal(data.output_text, first.choices[0].message.content);
    const streamed = await client.responses.stream({ model, input: content }).finalResponse();
    assert.equal(streamed.output_text, data.output_text);
  } finally {
    await gateway.stop();
  }
});
