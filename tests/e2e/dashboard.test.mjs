// The dashboard in a real browser. Where there is none, it is passed over; not in continuous integration (`CI`), where it has to run.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openBrowser } from "./support/browser.mjs";
import { startGateway } from "./support/gateway.mjs";
import { chat, unique } from "./support/local.mjs";

const TOKEN = "a token of the dashboard &+%";
const EVIL = `<img src=x onerror="globalThis.evil=1">`;
const missing = !process.env.CHROMIUM && "there is no Chromium: install it, or name one in CHROMIUM";
if (missing && process.env.CI) throw new Error(missing);
const options = { skip: missing };

let gateway;
let browser;

before(async () => {
  if (missing) return;
  gateway = await startGateway({ DASHBOARD_TOKEN: TOKEN, GATEWAY_KEYS: "acme:sk-acme-000001" });
  const ask = (more) => {
    const body = { model: "openai/gpt-4o-mini", messages: [{ role: "user", content: unique() }], ...more };
    return chat(gateway.url, body, { headers: { authorization: "Bearer sk-acme-000001" } });
  };
  gateway.ask = ask;
  const again = { messages: [{ role: "user", content: unique() }] };
  for (const more of [again, again, { stream: true }, { messages: [] }, { model: `openai/${EVIL}` }]) await (await ask(more)).text();
  await gateway.records(5);
  browser = await openBrowser();
});

after(async () => {
  await browser?.close();
  await gateway?.stop();
});

const text = (selector) => browser.evaluate(`document.querySelector(${JSON.stringify(selector)})?.innerText`);
const figures = () =>
  browser.evaluate(`Object.fromEntries([...document.querySelectorAll(".figure")].map((figure) => [figure.querySelector("h3").innerText, figure.querySelector("p").innerText]))`);

test("a token opens it, by keyboard alone", options, async () => {
  await browser.goto(`${gateway.url}/dashboard`);
  await browser.until("document.activeElement?.id === 'token'");
  await browser.type("not the token");
  await browser.press("Enter");
  await browser.until("document.querySelector('[role=alert]')?.innerText.includes('not the token') && document.activeElement.id === 'token'");
  // The browser tells of the refusal, and it is one.
  assert.match(browser.seen.console.splice(0).join(), /403/);
  await browser.type(TOKEN);
  await browser.press("Enter");
  await browser.until("document.querySelectorAll('#live tbody tr').length === 5 && document.querySelectorAll('.figure').length === 6");
  const [cookie] = await browser.cookies();
  assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, "Strict", "/dashboard"]);
  assert.equal(await browser.evaluate("document.cookie"), "");
});

test("the figures are those of D1", options, async () => {
  const rows = await gateway.records(5);
  const sum = (column) => rows.reduce((sum, row) => sum + (row[column] ?? 0), 0);
  const shown = await figures();
  assert.equal(shown.Requests, String(rows.length));
  assert.equal(shown.Tokens, (sum("input_tokens") + sum("output_tokens")).toLocaleString("en-US"));
  const failed = rows.filter(({ outcome }) => outcome !== "ok").length;
  assert.equal(shown.Failed, `${(100 * failed) / rows.length} %`);
  assert.ok(Math.abs(Number(shown.Cost.slice(1)) * 1e9 - sum("cost_nano_dollars")) <= 10_000, `${shown.Cost} for ${sum("cost_nano_dollars")}`);
  assert.ok(Number(shown["Saved by the cache"].slice(1)) > 0);
  assert.match(await text("#table-tenants"), /acme/);
  assert.match(await text("#table-errors"), /invalid request/);
  assert.match(await browser.evaluate("document.querySelector('#chart-requests svg').ariaLabel"), new RegExp(`5 in all, 1 from the cache, ${failed} failed`));
});

test("names of models are text, whatever is in them", options, async () => {
  assert.ok((await text("#live")).includes(EVIL));
  assert.equal(await browser.evaluate("globalThis.evil"), undefined);
  assert.equal(await browser.evaluate("document.querySelectorAll('main img').length"), 0);
});

test("a request that is made meanwhile appears, and counts", options, async () => {
  const response = await gateway.ask({ model: "anthropic/claude-haiku-4-5" });
  assert.equal(response.status, 200);
  await browser.until("document.querySelector('#live tbody tr.fresh')?.innerText.includes('anthropic/claude-haiku-4-5')");
  await browser.until("document.querySelector('.figure p').innerText === '6'");
});

test("ranges, charts and the live list are reached by keyboard", options, async () => {
  await browser.evaluate("document.querySelector('input[value=\"24h\"]').focus()");
  await browser.press("ArrowLeft");
  await browser.until("document.querySelector('input[value=\"1h\"]').checked");
  await browser.until("document.querySelectorAll('.figure').length === 6 && document.querySelector('.figure p').innerText === '6'");
  await browser.evaluate("document.querySelector('#chart-requests svg').focus()");
  await browser.press("ArrowLeft");
  assert.match(await text("#chart-requests .legend"), /answered \d+/);
  // Drawn anew, it is still where it was.
  await browser.evaluate("dispatchEvent(new Event('resize')), new Promise(requestAnimationFrame)");
  assert.match(await text("#chart-requests .legend"), /answered \d+/);
  await browser.evaluate("document.querySelector('#live-pause').focus()");
  await browser.press("Enter");
  assert.equal(await browser.evaluate("document.querySelector('#live-pause').ariaPressed"), "true");
  const unnamed = "[...document.querySelectorAll('button, input, svg[role=img], [role=region]')].filter((element) => !(element.ariaLabel || element.innerText || element.labels?.length || element.getAttribute('aria-labelledby'))).length";
  assert.equal(await browser.evaluate(unnamed), 0);
});

test("it fits a phone, in light and in dark", options, async () => {
  await browser.resize(360, 740);
  await browser.until("document.documentElement.scrollWidth <= 360");
  for (const value of ["dark", "light"]) {
    await browser.media([{ name: "prefers-color-scheme", value }]);
    const dark = await browser.evaluate("Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]) < 128");
    assert.equal(dark, value === "dark");
  }
});

test("nothing was asked of anybody else, and nothing went wrong", options, async () => {
  assert.deepEqual(browser.seen.requests.filter((url) => new URL(url).origin !== gateway.url), []);
  assert.deepEqual(browser.seen.console, []);
});

test("logging out ends the session", options, async () => {
  await browser.evaluate("document.querySelector('form button').click()");
  await browser.until("document.querySelector('#token')");
  assert.deepEqual(await browser.cookies(), []);
  assert.equal((await fetch(`${gateway.url}/dashboard/api/live`)).status, 401);
});
