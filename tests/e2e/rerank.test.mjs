// Cohere's own SDK, unmodified, against every provider that reranks.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CohereClient, CohereClientV2, CohereError } from "cohere-ai";
import { startGateway } from "./support/gateway.mjs";
import { GATEWAY_URL } from "./support/local.mjs";

const MODELS = [
  "workers-ai/@cf/baai/bge-reranker-base",
  "bedrock/cohere.rerank-v3-5:0",
  "bedrock/amazon.rerank-v1:0",
  "cohere/rerank-v3.5",
  "jina/jina-reranker-v2-base-multilingual",
  "voyage/rerank-2.5",
];

const query = "What is the capital of France?";
const documents = ["Bread is baked from flour.", "The capital of France is Paris.", "A comet is made of ice."];

for (const model of MODELS) {
  describe(model, () => {
    test("orders documents for Cohere's second client", async () => {
      const client = new CohereClientV2({ environment: GATEWAY_URL, token: "a-key" });
      const answer = await client.rerank({ model, query, documents, topN: 2 });
      assert.equal(answer.results.length, 2);
      assert.equal(answer.results[0].index, 1);
      assert.ok(answer.results[0].relevanceScore > answer.results[1].relevanceScore);
      assert.match(answer.id, /^rerank-/);
    });

    test("returns the documents to Cohere's first client", async () => {
      const client = new CohereClient({ environment: GATEWAY_URL, token: "a-key" });
      const answer = await client.rerank({ model, query, documents: documents.map((text) => ({ text })), returnDocuments: true });
      assert.deepEqual(answer.results.map(({ document, index }) => document.text === documents[index]), [true, true, true]);
    });
  });
}

test("a wrong request is told with its field", async () => {
  const client = new CohereClientV2({ environment: GATEWAY_URL, token: "a-key", maxRetries: 0 });
  for (const [change, status, field] of [
    [{ documents: [] }, 400, "documents"],
    [{ model: "no-such-model" }, 404, "model"],
    [{ model: "openai/gpt-4o-mini" }, 400, "model"],
  ]) {
    await assert.rejects(
      client.rerank({ model: MODELS[0], query, documents, ...change }),
      (error) => error instanceof CohereError && error.statusCode === status && error.body.error.param === field,
    );
  }
});

test("a ranking is on record", async () => {
  const gateway = await startGateway();
  try {
    const response = await fetch(`${gateway.url}/v1/rerank`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "bedrock/cohere.rerank-v3-5:0", query, documents }),
    });
    assert.equal(response.headers.get("x-edge-ai-provider"), "bedrock");
    assert.equal((await response.json()).results[0].index, 1);
    const row = (await gateway.records(1)).at(-1);
    assert.equal(row.operation, "rerank");
    assert.equal(row.outcome, "ok");
    assert.equal(row.model, "cohere.rerank-v3-5:0");
    assert.ok(row.input_tokens > 0);
  } finally {
    await gateway.stop();
  }
});
