// Serves a built Worker on workerd with every binding of its wrangler configuration.
//
//   node runtime/serve.mjs --config examples/gateway/wrangler.jsonc --standin http://127.0.0.1:9900
//
// stdout carries one JSON line, `{"ready":"http://127.0.0.1:8787"}`; logs go to stderr. It ends on SIGTERM, SIGINT, or
// when stdin ends, so that it never outlives the program that started it. A line `{"binding":"CONFIG","key":"k","value":"v"}`
// on stdin puts a value into a KV namespace, as `wrangler kv key put` does, and is answered by a line with its `key`.

import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { Log, LogLevel, Miniflare } from "miniflare";
import { unstable_readConfig } from "wrangler";
import { applyMigrations } from "./migrations.mjs";
import { miniflareOptions } from "./options.mjs";

const { values } = parseArgs({
  options: {
    config: { type: "string" },
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "0" },
    standin: { type: "string" },
    persist: { type: "string" },
    isolated: { type: "boolean", default: false },
    var: { type: "string", multiple: true, default: [] },
  },
});

// wrangler tells on stdout what it reads; here stdout is for the program that waits for the address.
console.log = console.error;

let miniflare;
let stopping = false;

async function stop(code) {
  if (stopping) return;
  stopping = true;
  await miniflare?.dispose().catch((error) => console.error(error));
  process.exit(code);
}

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => stop(0));
process.stdin.on("error", () => stop(0));
createInterface(process.stdin).on("close", () => stop(0)).on("line", (line) => put(JSON.parse(line)));

async function put({ binding, key, value }) {
  const namespace = await miniflare.getKVNamespace(binding);
  await namespace.put(key, value);
  process.stdout.write(`${JSON.stringify({ key })}\n`);
}

try {
  const config = unstable_readConfig({ config: values.config });
  miniflare = new Miniflare(
    miniflareOptions(config, {
      ...values,
      port: Number(values.port),
      // From the environment those that other users of the machine must not see among the arguments.
      vars: { ...JSON.parse(process.env.SERVE_VARS ?? "{}"), ...Object.fromEntries(values.var.map(keyAndValue)) },
      log: new Log(LogLevel.WARN),
    }),
  );
  const url = await miniflare.ready;
  for (const name of await applyMigrations(miniflare, config)) console.error(`applied migration ${name}`);
  process.stdout.write(`${JSON.stringify({ ready: url.origin })}\n`);
} catch (error) {
  if (!stopping) console.error(error);
  await stop(1);
}

function keyAndValue(text) {
  const at = text.indexOf("=");
  if (at < 1) throw new Error(`--var ${text}: KEY=VALUE expected`);
  return [text.slice(0, at), text.slice(at + 1)];
}
