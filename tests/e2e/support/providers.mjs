// The providers that every client is tried with, as one gateway serves them: a model each that has its vendor's every feature.

import { startGateway } from "./gateway.mjs";
import { LOCAL_URL } from "./local.mjs";

export const MODELS = {
  openai: "openai/gpt-6-luna",
  anthropic: "anthropic/claude-haiku-4-5",
  gemini: "gemini/gemini-3.8-flash",
  bedrock: "bedrock/global.anthropic.claude-haiku-4-5-20251001-v1:0",
  "workers-ai": "workers-ai/@cf/openai/gpt-oss-120b",
  compatible: "compatible/gpt-4o-mini",
};

/** Whose thoughts are shown; OpenAI shows them by its Responses API alone. */
export const SHOWS_THOUGHTS = ["anthropic", "gemini", "bedrock"];

/** A gateway with all of them, without limits. */
export const startWithAll = () =>
  startGateway({ COMPATIBLE_BASE_URL: `${LOCAL_URL}/openai/v1`, COMPATIBLE_API_KEY: "local", config: {} });

/** A picture of one pixel. */
export const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

export const CITY = {
  type: "object",
  properties: { city: { type: "string" }, population: { type: "integer" } },
  required: ["city", "population"],
  additionalProperties: false,
};

export const PLACE = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
