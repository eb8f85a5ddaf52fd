// A real browser, driven by its own protocol (https://chromedevtools.github.io/devtools-protocol/).

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

/** Starts the browser that `CHROMIUM` names, with a profile of its own, and opens a page. */
export async function openBrowser({ width = 1280, height = 900, dark = false } = {}) {
  const profile = mkdtempSync(join(tmpdir(), "browser-"));
  const process_ = spawn(
    process.env.CHROMIUM,
    [
      "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
      "--disable-background-networking", "--disable-component-update", "--lang=en-US", "--remote-debugging-port=0",
      `--user-data-dir=${profile}`, "about:blank",
    ],
    { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, LANGUAGE: "en_US" } },
  );
  const said = [];
  const address = await new Promise((resolve, reject) => {
    createInterface(process_.stderr).on("line", (line) => {
      said.push(line);
      const found = line.match(/DevTools listening on (ws:\S+)/);
      if (found) resolve(found[1]);
    });
    process_.once("exit", (code) => reject(new Error(`the browser ended with ${code}:\n${said.join("\n")}`)));
  });
  const socket = new WebSocket(address);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error(`cannot reach the browser at ${address}`));
  });

  const waiting = new Map();
  const seen = { requests: [], console: [] };
  let last = 0;
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.id) {
      const { resolve, reject } = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.error) reject(new Error(message.error.message));
      else resolve(message.result);
    } else if (message.method === "Network.requestWillBeSent") {
      seen.requests.push(message.params.request.url);
    } else if (message.method === "Runtime.exceptionThrown") {
      seen.console.push(message.params.exceptionDetails.exception?.description ?? message.params.exceptionDetails.text);
    } else if (message.method === "Log.entryAdded" && message.params.entry.level === "error") {
      seen.console.push(`${message.params.entry.text} ${message.params.entry.url ?? ""}`);
    } else if (message.method === "Runtime.consoleAPICalled" && ["error", "warning"].includes(message.params.type)) {
      seen.console.push(message.params.args.map(({ value, description }) => value ?? description).join(" "));
    }
  };
  const call = (method, params = {}, sessionId = undefined) =>
    new Promise((resolve, reject) => {
      last += 1;
      waiting.set(last, { resolve, reject });
      socket.send(JSON.stringify({ id: last, method, params, sessionId }));
    });

  const { targetId } = await call("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await call("Target.attachToTarget", { targetId, flatten: true });
  const page = (method, params) => call(method, params, sessionId);
  for (const domain of ["Page", "Runtime", "Network", "Log"]) await page(`${domain}.enable`);
  await page("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
  await page("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }] });

  /** The value of an expression in the page. */
  async function evaluate(expression) {
    const { result, exceptionDetails } = await page("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  return {
    seen,
    evaluate,
    goto: (url) => page("Page.navigate", { url }),
    media: (features) => page("Emulation.setEmulatedMedia", { features }),
    resize: (width, height) => page("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false }),
    cookies: async () => (await page("Network.getCookies")).cookies,
    type: (text) => page("Input.insertText", { text }),
    async press(key) {
      const codes = { Tab: 9, Enter: 13, ArrowLeft: 37, ArrowUp: 38, ArrowRight: 39, ArrowDown: 40 };
      const event = { key, code: key, windowsVirtualKeyCode: codes[key], text: key === "Enter" ? "\r" : undefined };
      await page("Input.dispatchKeyEvent", { type: "keyDown", ...event });
      await page("Input.dispatchKeyEvent", { type: "keyUp", ...event });
    },
    /** Waits until an expression in the page is true. */
    async until(expression) {
      for (let tries = 0; tries < 200; tries += 1) {
        // While the page changes, there is nothing to ask.
        if (await evaluate(`Boolean(${expression})`).catch(() => false)) return;
        await sleep(50);
      }
      throw new Error(`never true: ${expression}\n${await evaluate("document.body.innerText").catch(String)}`);
    },
    async screenshot(path) {
      const { data } = await page("Page.captureScreenshot", { format: "png", captureBeyondViewport: true });
      writeFileSync(path, Buffer.from(data, "base64"));
    },
    async close() {
      process_.removeAllListeners("exit");
      const ended = once(process_, "exit");
      await call("Browser.close").catch(() => process_.kill());
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
