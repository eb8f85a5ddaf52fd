// Requests that are passed on as they are, by the vendors' own SDKs.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI, { toFile } from "openai";
import { startGateway } from "./support/gateway.mjs";
import { seen, unique } from "./support/local.mjs";

let gateway, openai, native, anthropic;
before(async () => {
  gateway = await startGateway({
    PASS_THROUGH: "all",
    config: { cache: {} },
    GATEWAY_KEYS: "acme:acme-key-1",
  });
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "acme-key-1", maxRetries: 0 });
  native = new OpenAI({ baseURL: `${gateway.url}/openai/v1`, apiKey: "acme-key-1", maxRetries: 0, organization: "theirs" });
  anthropic = new Anthropic({ baseURL: `${gateway.url}/anthropic`, apiKey: "acme-key-1", maxRetries: 0 });
});
after(() => gateway.stop());

/** The record of a request, once it is written. */
async function record(id) {
  for (let tries = 0; tries < 100; tries += 1) {
    const row = (await gateway.records(1)).find((row) => row.request_id === id);
    if (row) return row;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no record of ${id}`);
}

const raw = (path, init = {}) =>
  fetch(`${gateway.url}${path}`, { ...init, headers: { authorization: "Bearer acme-key-1", ...init.headers } });

/** A second of silence, as a WAV file. */
function wav(seconds) {
  const samples = Buffer.alloc(16_000 * 2 * seconds);
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + samples.length, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(16_000, 24);
  head.writeUInt32LE(32_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36);
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}

describe("a provider's own API", () => {
  test("OpenAI's SDK, whole: the bytes are the vendor's, the record has tokens and cost", async () => {
    const mark = unique();
    const { data, response } = await native.chat.completions
      .create({ model: "gpt-6-luna", messages: [{ role: "user", content: mark }] })
      .withResponse();
    assert.ok(data.choices[0].message.content);
    assert.equal(response.headers.get("openai-organization"), null);
    assert.equal(response.headers.get("x-ratelimit-limit-requests"), null);
    assert.equal(response.headers.get("x-edge-ai-provider"), "openai");
    const [asked] = await seen(mark);
    assert.equal(asked.body.model, "gpt-6-luna");
    assert.ok(!JSON.stringify(asked.headers ?? {}).includes("acme-key-1"));
    const row = await record(response.headers.get("x-request-id"));
    assert.deepEqual([row.tenant, row.requested_model, row.outcome, row.operation], ["acme", "openai/gpt-6-luna", "ok", "chat"]);
    assert.equal(row.input_tokens, data.usage.prompt_tokens);
    assert.equal(row.output_tokens, data.usage.completion_tokens);
    assert.ok(row.cost_nano_dollars > 0);
  });

  test("the same as a stream", async () => {
    const { data: stream, response } = await native.chat.completions
      .create({ model: "gpt-6-luna", stream: true, stream_options: { include_usage: true }, messages: [{ role: "user", content: unique() }] })
      .withResponse();
    let usage;
    let text = "";
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      usage = chunk.usage ?? usage;
    }
    assert.ok(text);
    const row = await record(response.headers.get("x-request-id"));
    assert.deepEqual([row.stream, row.input_tokens, row.output_tokens], [1, usage.prompt_tokens, usage.completion_tokens]);
    assert.ok(row.time_to_first_token_ms !== null);
  });

  test("Anthropic's SDK, whole, streamed, and its errors", async () => {
    const ask = () => ({ model: "claude-haiku-4-5", max_tokens: 64, messages: [{ role: "user", content: unique() }] });
    const whole = await anthropic.messages.create(ask());
    assert.equal(whole.content[0].type, "text");
    const stream = anthropic.messages.stream(ask());
    const streamed = await stream.finalMessage();
    assert.ok(streamed.usage.output_tokens > 0);
    const error = await anthropic.messages.create({ ...ask(), max_tokens: -1 }).then(() => assert.fail("answered"), (error) => error);
    assert.ok(error instanceof Anthropic.BadRequestError, String(error));
  });

  test("requests without a model, and what the vendor does not know", async () => {
    const page = await native.files.list();
    assert.deepEqual(page.data, []);
    const missing = await raw("/openai/v1/nowhere");
    assert.equal(missing.status, 404);
    assert.match((await missing.json()).error.message, /Invalid URL/);
  });

  test("nobody gets beside the base URL, and nobody in without a key", async () => {
    // The client itself takes the first one apart: it stays below the base URL.
    for (const path of ["/openai/v1/%2e%2e/_local/requests", "/openai//evil.example", "/openai/v1/..%5c_local", "/openai/v1/%252e%252e/x"]) {
      const response = await raw(path);
      assert.ok([400, 404].includes(response.status), `${path}: ${response.status}`);
      assert.match(await response.text(), /path|nothing at|Invalid URL/);
    }
    const response = await fetch(`${gateway.url}/openai/v1/files`);
    assert.equal(response.status, 401);
    assert.equal((await raw("/nobody/v1/files")).status, 404);
  });

  test("Gemini's and Bedrock's paths name the model", async () => {
    const body = JSON.stringify({ messages: [{ role: "user", content: [{ text: unique() }] }] });
    const response = await raw("/bedrock/model/amazon.nova-lite-v1%3A0/converse", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    assert.equal(response.status, 200, await response.clone().text());
    const { usage } = await response.json();
    const row = await record(response.headers.get("x-request-id"));
    assert.deepEqual([row.requested_model, row.input_tokens], ["bedrock/amazon.nova-lite-v1:0", usage.inputTokens]);
  });
});

describe("OpenAI's other services", () => {
  test("pictures, paid by the token or by the picture", async () => {
    const { data, response } = await openai.images
      .generate({ model: "openai/gpt-image-1", prompt: "a lighthouse", n: 2 })
      .withResponse();
    assert.equal(data.data.length, 2);
    assert.equal(Buffer.from(data.data[0].b64_json, "base64").subarray(1, 4).toString(), "PNG");
    const row = await record(response.headers.get("x-request-id"));
    assert.deepEqual([row.operation, row.output_tokens], ["image", data.usage.output_tokens]);
  });

  test("an edited picture, by a form", async () => {
    const image = await toFile(Buffer.from("\x89PNG"), "a.png", { type: "image/png" });
    const answer = await openai.images.edit({ model: "openai/gpt-image-1", image, prompt: "brighter" });
    assert.ok(answer.data[0].b64_json);
  });

  test("speech, and what is said in it", async () => {
    const input = "A lighthouse by the sea, at night.";
    const response = await openai.audio.speech.create({ model: "openai/tts-1", voice: "alloy", input });
    assert.equal(response.headers.get("content-type"), "audio/wav");
    const sound = Buffer.from(await response.arrayBuffer());
    assert.equal(sound.subarray(0, 4).toString(), "RIFF");
    assert.equal((await record(response.headers.get("x-request-id"))).operation, "speech");
    const file = await toFile(sound, "speech.wav", { type: "audio/wav" });
    const heard = await openai.audio.transcriptions.create({ model: "openai/gpt-4o-transcribe", file });
    assert.equal(heard.text, "A sound of 0.3 seconds.");
  });

  test("a transcription of two seconds, whole and streamed, and a translation", async () => {
    const file = () => toFile(wav(2), "two.wav", { type: "audio/wav" });
    const { data, response } = await openai.audio.transcriptions
      .create({ model: "openai/whisper-1", file: await file() })
      .withResponse();
    assert.equal(data.text, "A sound of 2.0 seconds.");
    const row = await record(response.headers.get("x-request-id"));
    assert.deepEqual([row.operation, row.model], ["transcription", "whisper-1"]);
    let text = "";
    const stream = await openai.audio.transcriptions.create({ model: "openai/gpt-4o-transcribe", file: await file(), stream: true });
    for await (const event of stream) if (event.type === "transcript.text.delta") text += event.delta;
    assert.equal(text, data.text);
    assert.equal((await openai.audio.translations.create({ model: "openai/whisper-1", file: await file() })).text, data.text);
  });

  test("moderation", async () => {
    const answer = await openai.moderations.create({ model: "openai/omni-moderation-latest", input: ["I will kill you", "hello"] });
    assert.deepEqual(answer.results.map(({ flagged }) => flagged), [true, false]);
  });

  test("a provider without the service is told, and the vendor's own refusals come through", async () => {
    const error = await openai.images
      .generate({ model: "anthropic/claude-haiku-4-5", prompt: "x" })
      .then(() => assert.fail("answered"), (error) => error);
    assert.deepEqual([error.status, error.param], [400, "model"]);
    const refused = await openai.images
      .generate({ model: "openai/gpt-image-1", prompt: "x", n: 11 })
      .then(() => assert.fail("answered"), (error) => error);
    assert.deepEqual([refused.status, refused.param], [400, "n"]);
  });
});

describe("beside guardrails", () => {
  test("it is refused, since they would not see it", async () => {
    const guarded = await startGateway({ config: { guardrails: { secrets: { action: "block" } } } });
    try {
      const client = new OpenAI({ baseURL: `${guarded.url}/openai/v1`, apiKey: "any", maxRetries: 0 });
      const error = await client.chat.completions
        .create({ model: "gpt-6-luna", messages: [{ role: "user", content: "hi" }] })
        .then(() => assert.fail("answered"), (error) => error);
      assert.deepEqual([error.status, error.code], [403, "pass_through_refused"]);
    } finally {
      await guarded.stop();
    }
  });
});
