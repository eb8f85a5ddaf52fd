// Amazon Bedrock: its own SDK against the stand-in, which proves the stand-in's frames and signatures; and what the other SDKs get of it
// through the gateway, beyond what they ask of every provider.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
} from "@aws-sdk/client-bedrock-runtime";
import Anthropic from "@anthropic-ai/sdk";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import OpenAI from "openai";
import { GATEWAY_URL, LOCAL_URL, unique } from "./support/local.mjs";

const CLAUDE = "global.anthropic.claude-haiku-4-5-20251001-v1:0";
const PROFILE = `arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0`;
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const SCHEMA = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const BOTH = "What is the weather in both Lisbon and Paris?";

describe("AWS's own SDK against the stand-in", () => {
  const clients = [];
  after(() => clients.forEach((client) => client.destroy()));
  const client = (credentials = {}) => {
    const client = new BedrockRuntimeClient({
      region: "us-east-1",
      endpoint: `${LOCAL_URL}/bedrock`,
      requestHandler: new NodeHttpHandler(),
      maxAttempts: 1,
      credentials: {
        accessKeyId: "AKIAIOSFODNN7EXAMPLE",
        secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        ...credentials,
      },
    });
    clients.push(client);
    return client;
  };
  const ask = (text, more = {}) => ({
    modelId: CLAUDE,
    messages: [{ role: "user", content: [{ text }] }],
    ...more,
  });
  const toolConfig = {
    tools: [{ toolSpec: { name: "get_weather", description: "Tells the weather in a city", inputSchema: { json: SCHEMA } } }],
  };
  async function streamed(input) {
    const { stream } = await client().send(new ConverseStreamCommand(input));
    const events = [];
    for await (const event of stream) events.push(event);
    return events;
  }

  for (const modelId of [CLAUDE, PROFILE]) {
    test(`signs for ${modelId}, and is answered`, async () => {
      const answer = await client({ sessionToken: "a-session" }).send(
        new ConverseCommand(ask("Bears sleep in winter. When do bears sleep?", { modelId })),
      );
      assert.match(answer.output.message.content[0].text, /winter/);
      assert.equal(answer.stopReason, "end_turn");
      assert.equal(answer.usage.totalTokens, answer.usage.inputTokens + answer.usage.outputTokens);
    });
  }

  test("reads the frames of a stream", async () => {
    const question = ask("Bears sleep in winter. When do bears sleep?");
    const events = await streamed(question);
    const text = events.map((event) => event.contentBlockDelta?.delta.text ?? "").join("");
    const whole = await client().send(new ConverseCommand(question));
    assert.equal(text, whole.output.message.content[0].text);
    assert.equal(events[0].messageStart.role, "assistant");
    assert.equal(events.at(-2).messageStop.stopReason, "end_turn");
    assert.ok(events.at(-1).metadata.usage.outputTokens > 0);
  });

  test("reads parallel calls, thoughts, pictures, and sends them back", async () => {
    const thinking = { additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: 1024 } }, inferenceConfig: { maxTokens: 4000 } };
    const content = [{ text: BOTH }, { image: { format: "png", source: { bytes: Buffer.from(PNG, "base64") } } }];
    const messages = [{ role: "user", content }];
    const first = await client().send(new ConverseCommand({ modelId: CLAUDE, messages, toolConfig, ...thinking }));
    assert.equal(first.stopReason, "tool_use");
    const blocks = first.output.message.content;
    assert.ok(blocks[0].reasoningContent.reasoningText.signature);
    const calls = blocks.filter((block) => block.toolUse);
    assert.equal(calls.length, 2);
    messages.push(first.output.message, {
      role: "user",
      content: calls.map(({ toolUse }) => ({ toolResult: { toolUseId: toolUse.toolUseId, content: [{ text: "21 degrees" }] } })),
    });
    const second = await client().send(new ConverseCommand({ modelId: CLAUDE, messages, toolConfig, ...thinking }));
    assert.match(second.output.message.content.at(-1).text, /21 degrees/);
  });

  test("invokes embeddings and rerankers", async () => {
    const invoke = async (modelId, body) =>
      JSON.parse(new TextDecoder().decode((await client().send(new InvokeModelCommand({ modelId, body: JSON.stringify(body) }))).body));
    assert.equal((await invoke("amazon.titan-embed-text-v2:0", { inputText: "a cat" })).embedding.length, 1024);
    const ranked = await invoke("cohere.rerank-v3-5:0", { api_version: 2, query: "red fox", documents: ["blue sea", "red fox"] });
    assert.equal(ranked.results[0].index, 1);
  });

  test("throws the exceptions by their classes", async () => {
    const named = (name) => (error) => error.name === name && error.$metadata.requestId?.length > 0;
    const converse = (text, credentials) => client(credentials).send(new ConverseCommand(ask(text)));
    await assert.rejects(converse("[[fault: status=429]]"), named("ThrottlingException"));
    await assert.rejects(converse(" "), named("ValidationException"));
    await assert.rejects(converse("hi", { secretAccessKey: "wrong" }), named("InvalidSignatureException"));
    await assert.rejects(converse("hi", { accessKeyId: "AKIAOTHER" }), named("UnrecognizedClientException"));
  });

  test("throws an exception within a stream, a cut frame and a broken checksum", async () => {
    const story = "Tell a long story about bears and foxes.";
    const exception = (error) => error.name === "ServiceUnavailableException";
    await assert.rejects(streamed(ask(`${story} [[fault: error-event=2]]`)), exception);
    await assert.rejects(streamed(ask(`${story} [[fault: cut=2]]`)));
    await assert.rejects(streamed(ask(`${story} [[fault: malformed=2]]`)), /checksum/i);
  });
});

describe("through the gateway", () => {
  const model = `bedrock/${CLAUDE}`;
  const openai = new OpenAI({ baseURL: `${GATEWAY_URL}/v1`, apiKey: "a-key" });
  const anthropic = new Anthropic({ baseURL: GATEWAY_URL, apiKey: "a-key" });
  const tool = { type: "function", function: { name: "get_weather", description: "Tells the weather in a city", parameters: SCHEMA } };

  for (const stream of [false, true]) {
    test(`OpenAI's SDK gets parallel calls and thoughts, and sends them back${stream ? ", streamed" : ""}`, async () => {
      const ask = async (request) => {
        const completions = openai.chat.completions;
        const answer = stream ? await completions.stream(request).finalChatCompletion() : await completions.create(request);
        return answer.choices[0];
      };
      const messages = [{ role: "user", content: unique(BOTH) }];
      const request = { model, messages, tools: [tool], reasoning_effort: "low", max_completion_tokens: 8_000 };
      const first = await ask(request);
      assert.equal(first.finish_reason, "tool_calls");
      assert.equal(first.message.tool_calls.length, 2);
      const whole = first.message;
      if (!stream) assert.ok(whole.thinking_blocks[0].signature);
      messages.push(whole);
      for (const call of whole.tool_calls) messages.push({ role: "tool", tool_call_id: call.id, content: "21 degrees" });
      const second = await ask(request);
      assert.match(second.message.content, /21 degrees/);
    });

    test(`Anthropic's SDK gets parallel calls, a picture and thoughts${stream ? ", streamed" : ""}`, async () => {
      const send = (request) => (stream ? anthropic.messages.stream(request).finalMessage() : anthropic.messages.create(request));
      const source = { type: "base64", media_type: "image/png", data: PNG };
      const messages = [{ role: "user", content: [{ type: "text", text: unique(BOTH) }, { type: "image", source }] }];
      const request = {
        model,
        max_tokens: 4_000,
        messages,
        thinking: { type: "enabled", budget_tokens: 1_024 },
        tools: [{ name: "get_weather", description: "Tells the weather in a city", input_schema: SCHEMA }],
      };
      const first = await send(request);
      assert.equal(first.stop_reason, "tool_use");
      assert.ok(first.content[0].signature);
      const calls = first.content.filter(({ type }) => type === "tool_use");
      assert.equal(calls.length, 2);
      messages.push(
        { role: "assistant", content: first.content },
        { role: "user", content: calls.map(({ id }) => ({ type: "tool_result", tool_use_id: id, content: "21 degrees" })) },
      );
      // The stand-in refuses thoughts that are missing or not its own.
      const second = await send(request);
      assert.match(second.content.at(-1).text, /21 degrees/);
    });
  }

  test("cache marks become cache points, and the usage says so", async () => {
    const system = [{ type: "text", text: unique("A long document."), cache_control: { type: "ephemeral" } }];
    const ask = (content) => anthropic.messages.create({ model, max_tokens: 100, system, messages: [{ role: "user", content }] });
    const first = await ask("One?");
    assert.ok(first.usage.cache_creation_input_tokens > 0);
    const second = await ask("Two?");
    assert.equal(second.usage.cache_read_input_tokens, first.usage.cache_creation_input_tokens);
  });

  test("a model is reached by its ARN", async () => {
    const answer = await openai.chat.completions.create({ model: `bedrock/${PROFILE}`, messages: [{ role: "user", content: unique() }] });
    assert.ok(answer.choices[0].message.content.length > 0);
  });

  test("what Bedrock cannot take is refused with the field", async () => {
    const content = [{ type: "image_url", image_url: { url: "https://example.com/a.png" } }];
    await assert.rejects(
      openai.chat.completions.create({ model, messages: [{ role: "user", content }] }),
      (error) => error.status === 400 && error.param === "messages[0].content[0]" && /s3:/.test(error.message),
    );
  });
});
