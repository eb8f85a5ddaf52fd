// Asks a Worker for the contract cases it holds and runs each of them, inside workerd.
//
//   GET /            the names of the cases
//   POST /run/NAME   200 passed; with `x-skipped: reason` skipped; anything else failed, with the reason as the body

import assert from "node:assert/strict";
import { test } from "node:test";

const worker = process.env.WORKER_URL;
const list = await fetch(worker);
assert.equal(list.status, 200, `GET ${worker} answered ${list.status}`);
const cases = await list.json();
assert.ok(cases.length > 0, "the Worker holds no case");

for (const name of cases) {
  test(name, async (context) => {
    const answer = await fetch(new URL(`/run/${name}`, worker), { method: "POST" });
    const text = await answer.text();
    const skipped = answer.headers.get("x-skipped");
    if (answer.ok && skipped !== null) return context.skip(skipped);
    if (!answer.ok) assert.fail(text);
  });
}
