// Attaches a local service to the `ai` and `vectorize` bindings.
//
// In production both bindings are modules inside the runtime (`cloudflare-internal:…`) that turn a method call into a
// request to an inner fetcher. Miniflare has no simulator for what answers that request, and its own way to put one
// there (the remote proxy) opens a WebSocket before every call. This plugin gives the same modules a plain HTTP service
// instead, so a Worker runs the production module and one local hop.

import { fileURLToPath } from "node:url";

export const PLUGIN = "edge-ai-local";

// Miniflare finds a plugin by the path of its module.
export const PACKAGE = fileURLToPath(import.meta.url);

/**
 * The entry of Miniflare's `unsafeBindings` for one binding.
 *
 * @param module   the runtime's module, without its prefix: `ai-api`, `vectorize-api`
 * @param address  the service's host and port
 * @param inner    what the module reads besides its fetcher
 * @param headers  added to each request, for what the module does not tell: which index is meant
 */
export function standinBinding({ name, module, address, inner = {}, headers = {} }) {
  const options = { module, address, inner, headers };
  return { name, type: module, plugin: { package: PACKAGE, name: PLUGIN }, options };
}

function bindingsOf(worker) {
  return Object.entries(worker.config.env ?? {}).filter(([, binding]) => binding.dev?.plugin?.name === PLUGIN);
}

function serviceName(binding) {
  return `${PLUGIN}:${binding}`;
}

export const plugins = {
  [PLUGIN]: {
    bindingTypeDescription: "local stand-in",

    async getBindings(worker) {
      return bindingsOf(worker).map(([name, { dev }]) => ({
        name,
        wrapped: {
          moduleName: `cloudflare-internal:${dev.options.module}`,
          innerBindings: [
            { name: "fetcher", service: { name: serviceName(name) } },
            ...Object.entries(dev.options.inner).map(([name, value]) =>
              typeof value === "string" ? { name, text: value } : { name, json: JSON.stringify(value) },
            ),
          ],
        },
      }));
    },

    // Only the Worker uses these bindings; Node reaches the stand-in by its address.
    getNodeBindings() {
      return {};
    },

    async getServices({ options: worker }) {
      return bindingsOf(worker).map(([name, { dev }]) => ({
        name: serviceName(name),
        external: {
          address: dev.options.address,
          http: { injectRequestHeaders: Object.entries(dev.options.headers).map(([name, value]) => ({ name, value })) },
        },
      }));
    },
  },
};
