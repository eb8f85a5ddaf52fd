// Counts of tokens: the vendor's own where it has one, else an estimate.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { GATEWAY_URL } from "./support/local.mjs";

const client = new Anthropic({ baseURL: GATEWAY_URL, apiKey: "a-key", maxRetries: 0 });
const LLAMA = "workers-ai/@cf/meta/llama-3.3-70b-instruct-fp8-fast";

const count = (model, content) =>
  client.messages.countTokens({ model, messages: [{ role: "user", content }] }).withResponse();

describe("a count", () => {
  test("is the vendor's own where it has one", async () => {
    const { data, response } = await count("anthropic/claude-haiku-4-5", "What is the capital of France?");
    assert.ok(data.input_tokens > 3);
    assert.equal(response.headers.get("x-edge-ai-token-count"), "exact");
    assert.equal(response.headers.get("x-edge-ai-provider"), "anthropic");
  });

  test("is the vendor's own through its other dialect, too", async () => {
    const { response } = await count("openai/gpt-6-luna", "What is the capital of France?");
    assert.equal(response.headers.get("x-edge-ai-token-count"), "exact");
  });

  test("needs no limit, and names a mistake", async () => {
    await assert.rejects(
      client.messages.countTokens({ model: LLAMA, messages: [] }),
      (error) => error instanceof Anthropic.BadRequestError && /messages/.test(error.message),
    );
  });
});

test("without a vendor's own it is estimated", async () => {
  const { data, response } = await count(LLAMA, "What is the capital of France?");
  assert.equal(response.headers.get("x-edge-ai-token-count"), "estimate");
  assert.equal(data.input_tokens, 13);
});
