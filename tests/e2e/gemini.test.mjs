// Gemini's models by the official SDKs of OpenAI and Anthropic: what is Gemini's own survives their dialects. And Vertex AI, with the tokens of
// a service account whose key the runtime signs with.

import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { startGateway } from "./support/gateway.mjs";
import { GATEWAY_URL, LOCAL_URL, seen, unique } from "./support/local.mjs";

const MODEL = "gemini/gemini-3.8-flash";
const PARALLEL = "What is the weather in Lisbon and in Oslo? Call the tool for each of both cities in parallel.";
const PARAMETERS = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const DESCRIPTION = "Get the current weather in a city";

/** The body in which the stand-in for Google was asked last with `text`. */
const asked = async (text) => (await seen(text)).at(-1).body;

const signaturesOf = ({ contents }) =>
  contents.flatMap(({ parts }) => parts).flatMap(({ thoughtSignature }) => (thoughtSignature ? [thoughtSignature] : []));

describe("with OpenAI's SDK", () => {
  const client = new OpenAI({ baseURL: `${GATEWAY_URL}/v1`, apiKey: "a-key", maxRetries: 0 });
  const tools = [{ type: "function", function: { name: "get_weather", description: DESCRIPTION, parameters: PARAMETERS } }];

  for (const stream of [false, true]) {
    const ask = (request) =>
      stream ? client.chat.completions.stream(request).finalChatCompletion() : client.chat.completions.create(request);

    test(`signed calls in parallel go around${stream ? ", streamed" : ""}`, async () => {
      const content = unique(PARALLEL);
      const messages = [{ role: "user", content }];
      const request = { model: MODEL, messages, tools, reasoning_effort: "high" };
      const first = await ask(request);
      const [{ message, finish_reason: reason }] = first.choices;
      assert.equal(reason, "tool_calls");
      assert.equal(message.tool_calls.length, 2);
      assert.notEqual(message.tool_calls[0].id, message.tool_calls[1].id);
      assert.ok(first.usage === undefined || first.usage === null || first.usage.completion_tokens_details.reasoning_tokens > 0);

      messages.push(message);
      for (const { id } of message.tool_calls) messages.push({ role: "tool", tool_call_id: id, content: "21 degrees and sunny" });
      // The stand-in, like Gemini 3, refuses a first call without its own signature, and a result without its call's id.
      const second = await ask(request);
      assert.equal(second.choices[0].finish_reason, "stop");
      assert.match(second.choices[0].message.content, /21 degrees/);
      const [signature] = signaturesOf(await asked(content));
      assert.ok(signature && !signature.startsWith("skip_"), signature);
    });

    test(`an answer's signature goes around${stream ? ", streamed" : ""}`, async () => {
      const content = unique("Bears sleep in winter. When do bears sleep?");
      const messages = [{ role: "user", content }];
      const first = await ask({ model: MODEL, messages, reasoning_effort: "low" });
      messages.push(first.choices[0].message, { role: "user", content: "And foxes?" });
      const second = await ask({ model: MODEL, messages });
      assert.equal(second.choices[0].finish_reason, "stop");
      // What the SDK puts together of a stream has no place for it, and an answer needs none.
      if (!stream) assert.equal(signaturesOf(await asked(content)).length, 1);
    });
  }

  test("thoughts are shown, and count as output", async () => {
    const messages = [{ role: "user", content: unique("Why do bears sleep?") }];
    const { choices, usage } = await client.chat.completions.create({ model: MODEL, messages, reasoning_effort: "high" });
    assert.match(choices[0].message.reasoning_content, /bear/);
    const { reasoning_tokens: reasoning } = usage.completion_tokens_details;
    assert.ok(reasoning > 0 && usage.completion_tokens > reasoning);
    assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
  });

  test("calls that another vendor made are taken over", async () => {
    const messages = [
      { role: "user", content: unique("What is the weather in Lisbon?") },
      { role: "assistant", tool_calls: [{ id: "call_1", type: "function", function: { name: "get_weather", arguments: '{"city":"Lisbon"}' } }] },
      { role: "tool", tool_call_id: "call_1", content: "21 degrees and sunny" },
    ];
    const { choices } = await client.chat.completions.create({ model: MODEL, messages, tools });
    assert.match(choices[0].message.content, /21 degrees/);
  });

  test("a blocked prompt is an error of its own", async () => {
    const messages = [{ role: "user", content: unique("[[blocked]]") }];
    await assert.rejects(client.chat.completions.create({ model: MODEL, messages }), OpenAI.BadRequestError);
    await assert.rejects(client.chat.completions.stream({ model: MODEL, messages }).finalChatCompletion());
  });

  test("a picture that Gemini cannot read is named", async () => {
    const url = "data:image/svg+xml;base64,PHN2Zy8+";
    const messages = [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }];
    await assert.rejects(
      client.chat.completions.create({ model: MODEL, messages }),
      (error) => error instanceof OpenAI.BadRequestError && /image\/png/.test(error.message) && /messages/.test(error.param),
    );
  });

  test("options of Google's compatible endpoint are understood", async () => {
    const content = unique("Hello!");
    const google = { safety_settings: [{ category: "HARM_CATEGORY_HARASSMENT", threshold: "OFF" }], thinking_config: { thinking_level: "low" } };
    await client.chat.completions.create({ model: MODEL, messages: [{ role: "user", content }], extra_body: { google } });
    const body = await asked(content);
    assert.deepEqual(body.safetySettings, google.safety_settings);
    assert.deepEqual(body.generationConfig.thinkingConfig, google.thinking_config);
  });

  test("a stream that breaks off is an error", async () => {
    const messages = [{ role: "user", content: unique("Tell a long story about bears and foxes. [[fault: end=3]]") }];
    await assert.rejects(client.chat.completions.stream({ model: MODEL, messages }).finalChatCompletion());
  });
});

describe("with Anthropic's SDK", () => {
  const client = new Anthropic({ baseURL: GATEWAY_URL, apiKey: "a-key", maxRetries: 0 });
  const tools = [{ name: "get_weather", description: DESCRIPTION, input_schema: PARAMETERS }];

  for (const stream of [false, true]) {
    test(`signed thoughts and calls go around${stream ? ", streamed" : ""}`, async () => {
      const ask = (request) => (stream ? client.messages.stream(request).finalMessage() : client.messages.create(request));
      const content = unique(PARALLEL);
      const messages = [{ role: "user", content }];
      const request = { model: MODEL, max_tokens: 4_000, thinking: { type: "enabled", budget_tokens: 2_048 }, messages, tools };
      const first = await ask(request);
      assert.equal(first.stop_reason, "tool_use");
      const thought = first.content.find(({ type }) => type === "thinking");
      assert.ok(thought.thinking.length > 0 && thought.signature.startsWith("gemini:"));
      const calls = first.content.filter(({ type }) => type === "tool_use");
      assert.equal(calls.length, 2);

      messages.push({ role: "assistant", content: first.content });
      const result = ({ id }) => ({ type: "tool_result", tool_use_id: id, content: "21 degrees and sunny" });
      messages.push({ role: "user", content: calls.map(result) });
      const second = await ask(request);
      assert.equal(second.stop_reason, "end_turn");
      const [signature] = signaturesOf(await asked(content));
      assert.equal(`gemini:${signature}`, thought.signature);
    });
  }
});

describe("Vertex AI", () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: 2_048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const tokens = [];
  let server;
  let gateway;
  let client;

  before(async () => {
    // Google's part: it knows the public key, and hands on what is signed to the stand-in, which checks the rest.
    server = createServer(async (request, response) => {
      const pieces = [];
      for await (const piece of request) pieces.push(piece);
      const form = Buffer.concat(pieces).toString();
      const [header, claims, signature] = new URLSearchParams(form).get("assertion").split(".");
      const signed = verify("RSA-SHA256", Buffer.from(`${header}.${claims}`), createPublicKey(publicKey), Buffer.from(signature, "base64url"));
      const granted = await fetch(`${LOCAL_URL}/vertex/token`, { method: "POST", body: form, headers: { "content-type": request.headers["content-type"] } });
      tokens.push({ signed, claims: JSON.parse(Buffer.from(claims, "base64url")), status: granted.status });
      response.writeHead(signed ? granted.status : 400, { "content-type": "application/json" });
      response.end(await granted.text());
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const credentials = {
      type: "service_account",
      project_id: "my-project",
      private_key_id: "k1",
      private_key: privateKey,
      client_email: "gateway@my-project.iam.gserviceaccount.com",
      token_uri: `http://127.0.0.1:${server.address().port}/token`,
    };
    gateway = await startGateway({
      GOOGLE_VERTEX_CREDENTIALS: JSON.stringify(credentials),
      GOOGLE_VERTEX_LOCATION: "europe-west1",
      GOOGLE_VERTEX_BASE_URL: `${LOCAL_URL}/vertex/v1`,
    });
    client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "a-key", maxRetries: 0 });
  });

  after(async () => {
    await gateway?.stop();
    server?.close();
  });

  test("answers and streams, Gemini's models and Claude's, with one token", async () => {
    for (const model of ["vertex/gemini-3.8-flash", "vertex/claude-sonnet-5"]) {
      const messages = [{ role: "user", content: unique("Bears sleep in winter. When do bears sleep?") }];
      const whole = await client.chat.completions.create({ model, messages });
      assert.match(whole.choices[0].message.content, /winter/, model);
      const streamed = await client.chat.completions
        .stream({ model, messages: [{ role: "user", content: unique("Bears sleep in winter. When do bears sleep?") }] })
        .finalChatCompletion();
      assert.match(streamed.choices[0].message.content, /winter/, model);
    }
    assert.equal(tokens.length, 1, "the token is kept");
    const [{ signed, claims, status }] = tokens;
    assert.ok(signed, "the assertion is signed by the account's key");
    assert.equal(status, 200);
    assert.equal(claims.iss, "gateway@my-project.iam.gserviceaccount.com");
    const paths = (await seen("When do bears sleep?")).map(({ path }) => path);
    const place = "/v1/projects/my-project/locations/europe-west1/publishers";
    assert.ok(paths.includes(`${place}/google/models/gemini-3.8-flash:generateContent`), paths.join("\n"));
    assert.ok(paths.includes(`${place}/anthropic/models/claude-sonnet-5:streamRawPredict`), paths.join("\n"));
  });

  test("its errors are told apart", async () => {
    for (const model of ["vertex/gemini-3.8-flash", "vertex/claude-sonnet-5"]) {
      const messages = [{ role: "user", content: unique("[[fault: status=429, retry-after=1]]") }];
      await assert.rejects(
        client.chat.completions.create({ model, messages }, { headers: { "cache-control": "no-store" } }),
        OpenAI.RateLimitError,
        model,
      );
    }
  });
});
