// Realtime conversations by OpenAI's own clients: that of a server, whose key is in a header, and that of a page, whose key is a subprotocol.

import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";
import { OpenAIRealtimeWebSocket } from "openai/realtime/websocket";
import { OpenAIRealtimeWS } from "openai/realtime/ws";
import { startGateway } from "./support/gateway.mjs";
import { unique } from "./support/local.mjs";

const MODEL = "openai/gpt-realtime";
const WEATHER = {
  type: "function",
  name: "get_weather",
  description: "Get the current weather in a city",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};

let gateway;
before(async () => {
  gateway = await startGateway({
    PASS_THROUGH: "models",
    GATEWAY_KEYS: "acme:acme-key-1,globex:globex-key-1",
    config: { limits: [{ measure: "concurrency", amount: 1, per: ["tenant"], only: { tenants: ["globex"] } }] },
  });
});
after(() => gateway?.stop());

const PlainWebSocket = globalThis.WebSocket;

/** The clients speak TLS alone, and the gateway of a test has none: what is below their sockets is plain. */
const createConnection = () => net.connect(Number(new URL(gateway.url).port), "127.0.0.1");

const openai = (apiKey, path = "/v1") => new OpenAI({ baseURL: gateway.url + path, apiKey, dangerouslyAllowBrowser: true });

function serverSide({ model = MODEL, key = "acme-key-1", path } = {}) {
  const client = new OpenAIRealtimeWS({ model, options: { createConnection } }, openai(key, path));
  return listened(client, (handle) => client.socket.on("close", (code, reason) => handle(code, reason.toString())));
}

function inPage({ model = MODEL, key = "acme-key-1" } = {}) {
  globalThis.WebSocket = class extends PlainWebSocket {
    constructor(url, protocols) {
      super(url.replace("wss:", "ws:"), protocols);
    }
  };
  try {
    const client = new OpenAIRealtimeWebSocket({ model, dangerouslyAllowBrowser: true }, openai(key));
    return listened(client, (handle) => client.socket.addEventListener("close", ({ code, reason }) => handle(code, reason)));
  } finally {
    globalThis.WebSocket = PlainWebSocket;
  }
}

/** A client, its events as they come, and how it was closed. */
function listened(client, onClose) {
  const events = [];
  const errors = [];
  const waiting = new Set();
  const look = () => waiting.forEach((check) => check());
  client.on("event", (event) => (events.push(event), look()));
  client.on("error", (error) => (errors.push(error), look()));
  let closed;
  onClose((code, reason) => ((closed = { code, reason }), look()));
  const until = (found, what) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${what} did not come: ${JSON.stringify(events.map(({ type }) => type))}`)), 20_000);
      const check = () => {
        const value = found();
        if (!value) return;
        clearTimeout(timer);
        waiting.delete(check);
        resolve(value);
      };
      waiting.add(check);
      check();
    });
  return {
    client,
    events,
    errors,
    event: (type, nth = 0) => until(() => events.filter((event) => event.type === type)[nth], type),
    closed: () => until(() => closed, "a close"),
    say(text) {
      client.send({ type: "conversation.item.create", item: { type: "message", role: "user", content: [{ type: "input_text", text }] } });
      client.send({ type: "response.create" });
    },
  };
}

async function inText(conversation, session = {}) {
  await conversation.event("session.created");
  conversation.client.send({ type: "session.update", session: { type: "realtime", output_modalities: ["text"], ...session } });
  await conversation.event("session.updated");
  return conversation;
}

/** The newest record that fits, once it is written. */
async function record(fits) {
  for (let tries = 0; tries < 100; tries += 1) {
    const row = (await gateway.records(1)).findLast(fits);
    if (row) return row;
    await sleep(50);
  }
  throw new Error("no such record");
}

/** The answer to a handshake that opened nothing. */
async function refused(conversation) {
  const [, response] = await once(conversation.client.socket, "unexpected-response");
  const body = await response.toArray();
  return { status: response.statusCode, headers: response.headers, error: JSON.parse(Buffer.concat(body)).error };
}

for (const [name, open] of [["a server's client", serverSide], ["a page's client", inPage]]) {
  describe(name, () => {
    test("converses, and has one record of all its answers", async () => {
      const conversation = await inText(open());
      assert.equal((await conversation.event("session.created")).session.model, "gpt-realtime");
      let [input, output] = [0, 0];
      for (const [nth, text] of ["The capital of France is Paris. What is the capital of France?", "And what is Paris?"].entries()) {
        conversation.say(unique(text));
        const { response } = await conversation.event("response.done", nth);
        assert.equal(response.status, "completed");
        input += response.usage.input_tokens;
        output += response.usage.output_tokens;
        const [message] = response.output;
        const deltas = conversation.events.filter(({ type, item_id }) => type === "response.output_text.delta" && item_id === message.id);
        assert.ok(deltas.length > 1);
        assert.equal(deltas.map(({ delta }) => delta).join(""), message.content[0].text);
      }
      conversation.client.close({ code: 4001, reason: "done" });
      assert.equal((await conversation.closed()).code, 4001);
      const row = await record(({ input_tokens }) => input_tokens === input);
      assert.deepEqual(
        [row.tenant, row.operation, row.requested_model, row.provider, row.model, row.outcome],
        ["acme", "realtime", MODEL, "openai", "gpt-realtime", "ok"],
      );
      assert.equal(row.output_tokens, output);
      assert.ok(row.cost_nano_dollars > 0);
    });

    test("calls a function and takes its result", async () => {
      const conversation = await inText(open(), { tools: [WEATHER], tool_choice: "required" });
      conversation.say(unique("What is the weather in Lisbon?"));
      const call = (await conversation.event("response.done")).response.output[0];
      assert.equal(call.type, "function_call");
      assert.equal(typeof JSON.parse(call.arguments).city, "string");
      const deltas = conversation.events.filter(({ type }) => type === "response.function_call_arguments.delta");
      assert.equal(deltas.map(({ delta }) => delta).join(""), call.arguments);
      conversation.client.send({
        type: "conversation.item.create",
        item: { type: "function_call_output", call_id: call.call_id, output: "21 degrees and sunny" },
      });
      conversation.client.send({ type: "response.create", response: { tool_choice: "none" } });
      const { response } = await conversation.event("response.done", 1);
      assert.equal(response.output[0].type, "message");
      conversation.client.close();
    });

    test("speaks and is heard: sound has its own tokens", async () => {
      const conversation = open();
      await conversation.event("session.created");
      conversation.client.send({ type: "input_audio_buffer.append", audio: Buffer.alloc(48_000).toString("base64") });
      conversation.client.send({ type: "input_audio_buffer.commit" });
      await conversation.event("conversation.item.done");
      conversation.say(unique());
      const { usage } = (await conversation.event("response.done")).response;
      assert.ok(usage.input_token_details.audio_tokens === 10 && usage.output_token_details.audio_tokens > 0);
      conversation.client.close();
      const row = await record(({ operation, output_tokens }) => operation === "realtime" && output_tokens === usage.output_tokens);
      assert.equal(row.input_tokens, usage.input_tokens);
    });

    test("gets the vendor's error events, and goes on", async () => {
      const conversation = await inText(open());
      conversation.client.send({ type: "session.update", event_id: "mine", session: { nonsense: true } });
      const { error } = await conversation.event("error");
      assert.deepEqual([error.code, error.param, error.event_id], ["unknown_parameter", "session.nonsense", "mine"]);
      conversation.say(unique());
      await conversation.event("response.done");
      conversation.client.close();
    });

    test("is closed as the vendor closes, and told when the vendor is gone", async () => {
      const ended = await inText(open());
      ended.say(unique("[[fault: end=3]]"));
      const { code, reason } = await ended.closed();
      assert.equal(code, 1001);
      assert.match(reason, /maximum duration/);
      const failed = await inText(open());
      failed.say(unique("[[fault: error-event=2]]"));
      assert.equal((await failed.closed()).code, 1011);
      const cut = await inText(open());
      cut.say(unique("[[fault: cut=3]]"));
      assert.equal((await cut.event("error")).error.code, "upstream_disconnected");
      assert.equal((await cut.closed()).code, 1011);
      const row = await record(({ error }) => /end of the conversation is gone/.test(error ?? ""));
      assert.equal(row.outcome, "interrupted");
      assert.match(row.warnings, /1 answers had begun/);
    });
  });
}

describe("what opens nothing", () => {
  test("a key that is wrong, a model that is not there, one that has no conversations", async () => {
    const wrong = await refused(serverSide({ key: "wrong-key-1" }));
    assert.deepEqual([wrong.status, wrong.error.code], [401, "invalid_api_key"]);
    const missing = await refused(serverSide({ model: "nobody/gpt-realtime" }));
    assert.equal(missing.status, 404);
    const other = await refused(serverSide({ model: "anthropic/claude-haiku-4-5" }));
    assert.deepEqual([other.status, other.error.param], [400, "model"]);
  });

  test("what the vendor refuses it tells itself", async () => {
    const { status, error } = await refused(serverSide({ model: "openai/gpt-6-luna" }));
    assert.equal(status, 400);
    assert.match(error.message, /not supported in realtime mode/);
  });

  test("a request that is none for a WebSocket", async () => {
    const response = await fetch(`${gateway.url}/v1/realtime?model=${MODEL}`, { headers: { authorization: "Bearer acme-key-1" } });
    assert.equal(response.status, 426);
    assert.equal((await response.json()).error.code, "upgrade_required");
  });

  test("one more than may run at once, until one is over", async () => {
    const first = await inText(serverSide({ key: "globex-key-1" }));
    const { status, error } = await refused(serverSide({ key: "globex-key-1" }));
    assert.equal(status, 429);
    assert.equal(error.code, "rate_limit_exceeded");
    first.client.close();
    await first.closed();
    for (let tries = 0; ; tries += 1) {
      const next = serverSide({ key: "globex-key-1" });
      const opened = await Promise.race([next.event("session.created"), refused(next)]);
      next.client.close();
      if (opened.type === "session.created") break;
      assert.ok(tries < 50, "the place of a conversation that is over never came back");
      await sleep(50);
    }
  });
});

test("a provider's own path has them too", async () => {
  const conversation = await inText(serverSide({ model: "gpt-realtime", path: "/openai/v1" }));
  conversation.say(unique());
  const { usage } = (await conversation.event("response.done")).response;
  conversation.client.close();
  const row = await record(({ requested_model }) => requested_model === "openai/gpt-realtime");
  assert.equal(row.operation, "realtime");
  assert.ok(usage.total_tokens > 0);
});
