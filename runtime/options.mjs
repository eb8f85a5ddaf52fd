// From an example's wrangler configuration to Miniflare's options: what `wrangler deploy` uploads is what runs here.

import { readFileSync, readdirSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { convertV4MiniflareOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { standinBinding } from "./standin.mjs";

const MODULE_TYPES = { ".js": "ESModule", ".mjs": "ESModule", ".wasm": "CompiledWasm" };

/**
 * @param config  the configuration as wrangler read it
 * @param serve   where and with what; without `persist` nothing is kept, and `isolated` leaves out the secrets that the
 *                developer has in files (`.dev.vars`)
 */
export function miniflareOptions(config, { host, port, standin, persist, isolated, vars, log }) {
  const root = dirname(config.configPath);
  const ai = config.ai;
  const vectorize = config.vectorize ?? [];
  // Taken out before wrangler sees them: it would send both to Cloudflare.
  const { workerOptions, externalWorkers } = unstable_getMiniflareWorkerOptions(
    { ...config, ai: undefined, vectorize: [] },
    undefined,
    // wrangler looks for `.dev.vars` unless it is given files to read.
    isolated ? { envFiles: [".no-env"] } : {},
  );
  const { modulesRules: _replacedByModules, ...bindings } = workerOptions;

  return convertV4MiniflareOptions({
    host,
    port,
    // The default is downloaded; a Worker must see the same values on every machine.
    cf: false,
    log,
    logRequests: false,
    handleStructuredLogs: ({ message }) => process.stderr.write(`${message}\n`),
    resourcePersistencePath: persist && join(persist, "v3"),
    workers: [
      {
        ...bindings,
        name: config.name,
        ...modules(root, config.main),
        bindings: { ...bindings.bindings, ...vars },
        unsafeBindings: [...(bindings.unsafeBindings ?? []), ...standinBindings(ai, vectorize, standin)],
      },
      ...externalWorkers,
    ],
  });
}

function standinBindings(ai, vectorize, standin) {
  const bindings = vectorize.map(({ binding, index_name }) => ({
    name: binding,
    module: "vectorize-api",
    inner: { indexId: index_name, indexVersion: "v2", useNdJson: true },
    headers: { "x-edge-ai-index": index_name },
  }));
  if (ai) bindings.push({ name: ai.binding, module: "ai-api" });
  if (bindings.length > 0 && standin === undefined) {
    const names = bindings.map(({ name }) => name).join(", ");
    throw new Error(`${names}: there is no local service behind these bindings; give --standin http://127.0.0.1:PORT`);
  }
  return bindings.map((binding) => standinBinding({ ...binding, address: new URL(standin).host }));
}

// worker-build writes everything that is uploaded into one directory: the first component of `main`.
function modules(root, main) {
  const entry = resolve(root, main);
  let built = dirname(entry);
  while (dirname(built) !== resolve(root) && dirname(built) !== built) built = dirname(built);

  const paths = readdirSync(built, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && extname(file.name) in MODULE_TYPES)
    .map((file) => join(file.parentPath, file.name))
    .filter((path) => path !== entry)
    .sort();
  return {
    modulesRoot: built,
    modules: [entry, ...paths].map((path) => {
      const type = MODULE_TYPES[extname(path)];
      return { type, path, contents: readFileSync(path, type === "ESModule" ? "utf8" : undefined) };
    }),
  };
}
