// A gateway of a test's own, with other settings than the shared one, and a look into its database.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { LOCAL_URL } from "./local.mjs";

const SERVE = fileURLToPath(new URL("../../../runtime/serve.mjs", import.meta.url));
export const CONFIG = fileURLToPath(new URL("../../../examples/gateway/wrangler.jsonc", import.meta.url));

/** The stand-ins as providers: what `cargo xtask dev` sets. */
export const PROVIDERS = {
  OPENAI_BASE_URL: `${LOCAL_URL}/openai/v1`,
  OPENAI_API_KEY: "local",
  ANTHROPIC_BASE_URL: `${LOCAL_URL}/anthropic`,
  ANTHROPIC_API_KEY: "local",
  GEMINI_BASE_URL: `${LOCAL_URL}/gemini`,
  GEMINI_API_KEY: "local",
  BEDROCK_BASE_URL: `${LOCAL_URL}/bedrock`,
  AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
  AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  AWS_REGION: "us-east-1",
};

/**
 * Starts the example's Worker on workerd with `vars` over its own, and with `bindings` beside its own. `vars.config` is its configuration
 * in the place of gateway.toml.
 */
export async function startGateway({ config: document, ...vars } = {}, bindings = {}) {
  if (document) vars.GATEWAY_CONFIG = JSON.stringify(document);
  const config = configured(bindings);
  const state = mkdtempSync(join(tmpdir(), "gateway-"));
  const settings = Object.entries({ ...PROVIDERS, ...vars }).flatMap(([name, value]) => ["--var", `${name}=${value}`]);
  const server = spawn(
    process.execPath,
    [SERVE, "--config", config, "--standin", LOCAL_URL, "--isolated", "--persist", state, ...settings],
    { stdio: ["pipe", "pipe", "pipe"] },
  );
  const log = [];
  createInterface(server.stderr).on("line", (line) => log.push(line));
  const told = createInterface(server.stdout);
  const url = await new Promise((resolve, reject) => {
    told.once("line", (line) => resolve(JSON.parse(line).ready));
    server.once("exit", (code) => reject(new Error(`the gateway ended with ${code}:\n${log.join("\n")}`)));
  });
  return {
    url,
    log,
    /** Publishes a configuration to Workers KV. */
    async publish(document) {
      server.stdin.write(`${JSON.stringify({ binding: "CONFIG", key: "gateway", value: document })}\n`);
      await once(told, "line");
    },
    /** The usage records in D1, oldest first, once there are `count` of them. */
    records: (count) => records(state, count),
    /** The objects in R2, as texts, once there are `count` of them. */
    objects: (count) => eventually(() => objects(state), count),
    async stop() {
      server.removeAllListeners("exit");
      server.stdin.end();
      await once(server, "exit");
      rmSync(state, { recursive: true, force: true });
      if (config !== CONFIG) rmSync(config);
    },
  };
}

const records = (state, count) => eventually(() => read(state), count);

/** What is written after the answer may take a moment. */
async function eventually(read, count) {
  for (let tries = 0; ; tries += 1) {
    const found = read();
    if (found.length >= count || tries === 200) return found;
    await sleep(50);
  }
}

/** The example's configuration with more bindings, in a file beside it: what it names is found from there. */
function configured(bindings) {
  if (Object.keys(bindings).length === 0) return CONFIG;
  const more = JSON.stringify(bindings).slice(1, -1);
  const path = join(dirname(CONFIG), `.test-${process.pid}-${configurations++}.jsonc`);
  writeFileSync(path, readFileSync(CONFIG, "utf8").replace('"vars": {', `${more},\n  "vars": {`));
  return path;
}
let configurations = 0;

function objects(state) {
  const files = readdirSync(state, { recursive: true }).filter((file) => /[\\/]r2[\\/].*[\\/]blobs[\\/]/.test(file));
  return files.map((file) => join(state, file)).filter((file) => statSync(file).isFile()).map((file) => readFileSync(file, "utf8"));
}

function read(state) {
  const files = readdirSync(state, { recursive: true }).filter((file) => /d1.*\.sqlite$/.test(file) && !file.includes("metadata"));
  for (const file of files) {
    const database = new DatabaseSync(join(state, file), { readOnly: true });
    try {
      return database.prepare("SELECT * FROM usage_records ORDER BY time_ms, rowid").all();
    } catch (error) {
      // Not there yet, or being written to: asked again.
      if (!/no such table|database is locked/.test(error.message)) throw error;
    } finally {
      database.close();
    }
  }
  return [];
}
