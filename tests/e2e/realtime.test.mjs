// Realtime conversations by OpenAI's own clients, over sockets of a server and of a page.

import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import OpenAI from "openai";
import { OpenAIRealtimeWebSocket } from "openai/realtime/websocket";
import { OpenAIRealtimeWS } from "openai/realtime/ws";
import { startGateway } from "./support/gateway.mjs";
import { unique } from "./support/local.mjs";

const KEY = "acme-key-1";
const MODEL = "openai/gpt-realtime";

let gateway;
before(async () => {
  gateway = await startGateway({
    PASS_THROUGH: "all",
    GATEWAY_KEYS: `acme:${KEY},globex:globex-key-1`,
    config: { limits: ["2 concurrent per key, tenant = globex"], prices: { "openai/gpt-realtime": { input: 4, output: 16 } } },
  });
});
after(() => gateway?.stop());

// The clients speak TLS alone, and the gateway of a test has none: the socket below is the only thing that is not theirs.
const { port } = { get port() { return Number(new URL(gateway.url).port); } };
