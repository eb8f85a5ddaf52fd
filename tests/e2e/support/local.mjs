// What the providers' stand-in was asked, and how it is told to fail.

import { randomUUID } from "node:crypto";

export const GATEWAY_URL = process.env.GATEWAY_URL;
export const LOCAL_URL = process.env.LOCAL_URL;

/** Words that no other test says, so that no cache knows the answer. */
export const unique = (text = "hello") => `${text} (${randomUUID()})`;

/** The requests that reached the providers with `text` in them. */
export async function seen(text) {
  const response = await fetch(`${LOCAL_URL}/_local/requests`);
  const requests = await response.json();
  return (requests.requests ?? requests).filter((request) => JSON.stringify(request.body).includes(text));
}

/** Makes the stand-in fail requests that match: `{ surface, model, contains }`. */
export async function fault(match, fault, times) {
  const response = await fetch(`${LOCAL_URL}/_local/faults`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ match, fault, ...(times && { times }) }),
  });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
}

/** A chat completion by plain HTTP. */
export function chat(url, body, { headers = {}, signal } = {}) {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
    signal,
  });
}

/** The data of every event of a stream. */
export function events(text) {
  return text
    .split("\n\n")
    .filter((frame) => frame.startsWith("data: "))
    .map((frame) => frame.slice("data: ".length));
}
