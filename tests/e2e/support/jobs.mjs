// The example's Worker in this process, where a test reaches its queue, and can stop it and start it again with what it has kept.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Log, LogLevel, Miniflare } from "miniflare";
import { unstable_readConfig } from "wrangler";
import { applyMigrations } from "../../../runtime/migrations.mjs";
import { miniflareOptions } from "../../../runtime/options.mjs";
import { CONFIG, PROVIDERS } from "./gateway.mjs";
import { LOCAL_URL } from "./local.mjs";

export async function startWithQueue(vars = {}) {
  const persist = mkdtempSync(join(tmpdir(), "jobs-"));
  const config = unstable_readConfig({ config: CONFIG });
  const options = () =>
    miniflareOptions(config, {
      host: "127.0.0.1",
      port: 0,
      standin: LOCAL_URL,
      persist,
      isolated: true,
      vars: { ...PROVIDERS, ...vars },
      log: new Log(LogLevel.ERROR),
    });
  let miniflare = new Miniflare(options());
  const gateway = {
    url: (await miniflare.ready).origin,
    /** Sends a message that the queue has delivered already. */
    async deliverAgain(id) {
      const queue = await miniflare.getQueueProducer("JOB_QUEUE", config.name);
      await queue.send(id);
    },
    /** The rows of a query in D1. */
    async query(sql, ...values) {
      const database = await miniflare.getD1Database("DB", config.name);
      return (await database.prepare(sql).bind(...values).all()).results;
    },
    /** The JSON of the first key in the namespace of answers that begins with `prefix`. */
    async kept(prefix) {
      const namespace = await miniflare.getKVNamespace("CACHE", config.name);
      const { keys } = await namespace.list({ prefix });
      return keys.length > 0 ? namespace.get(keys[0].name, "json") : null;
    },
    async restart() {
      await miniflare.dispose();
      miniflare = new Miniflare(options());
      gateway.url = (await miniflare.ready).origin;
    },
    async stop() {
      await miniflare.dispose();
      rmSync(persist, { recursive: true, force: true });
    },
  };
  await applyMigrations(miniflare, config);
  return gateway;
}

/** What `look` returns, once it is not nothing. */
export async function until(look, what = "it") {
  for (let tries = 0; tries < 600; tries += 1) {
    const found = await look();
    if (found) return found;
    await sleep(100);
  }
  throw new Error(`${what} did not come about`);
}
