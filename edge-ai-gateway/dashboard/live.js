// The newest requests, as they are recorded: asked for every two seconds while the page is seen.

import { clock, count, dollars, duration, element } from "./format.js";

const EVERY = 2_000;
const MOST = 100;
const HEADS = ["Time", "Model", "Tenant", "Result", "Tokens", "Cost", "First", "Total"];
const NUMBERS = new Set(["Tokens", "Cost", "First", "Total"]);

export function follow({ container, state, pause, ask, changed }) {
  const body = element("tbody");
  let newest = 0;
  let paused = false;

  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = paused ? "Go on" : "Pause";
    state.textContent = paused ? "paused" : "following";
  });

  async function look() {
    if (paused || document.hidden) return;
    try {
      const { records } = await ask(`/dashboard/api/live?after=${newest}`);
      if (paused) return;
      state.textContent = "following";
      if (records.length === 0 && newest > 0) return;
      add(records);
    } catch (error) {
      state.textContent = error.message;
    }
  }

  function add(records) {
    const first = newest === 0;
    if (records.length > 0) newest = records[0].id;
    if (body.parentNode === null) show();
    body.prepend(...records.map((record) => row(record, !first)));
    while (body.children.length > MOST) body.lastChild.remove();
    container.firstChild.hidden = body.children.length === 0;
    container.lastChild.hidden = body.children.length > 0;
    if (!first) changed();
  }

  function show() {
    const heads = HEADS.map((name) => {
      const head = element("th", NUMBERS.has(name) ? "n" : "", name);
      head.scope = "col";
      return head;
    });
    const table = element("table", "", element("thead", "", element("tr", "", ...heads)), body);
    container.replaceChildren(table, element("p", "empty", "No request yet. The next one appears here."));
  }

  const again = () => look().finally(() => setTimeout(again, EVERY));
  again();
  document.addEventListener("visibilitychange", look);
}

function row(record, fresh) {
  const model = element("td", "name", record.requested_model || "–");
  const answered = [record.provider, record.model].filter(Boolean).join(" · ");
  if (answered) model.append(element("br"), element("small", "", answered));
  model.title = [record.request_id, record.trace_id && `trace ${record.trace_id}`].filter(Boolean).join("\n");
  const tokens = record.input_tokens === null ? "–" : `${count(record.input_tokens)} → ${count(record.output_tokens)}`;
  const made = element(
    "tr",
    fresh ? "fresh" : "",
    element("td", "", clock(record.time_ms)),
    model,
    element("td", "name", record.tenant ?? "–"),
    element("td", "name", ...result(record)),
    element("td", "n", record.usage_estimated ? `≈ ${tokens}` : tokens),
    element("td", "n", record.cost_nano_dollars === null ? "–" : dollars(record.cost_nano_dollars)),
    element("td", "n", duration(record.time_to_first_token_ms)),
    element("td", "n", duration(record.latency_ms)),
  );
  return made;
}

function result(record) {
  if (record.outcome === "ok") {
    const free = ["hit", "stale", "coalesced", "semantic"].includes(record.cache);
    return [free ? element("span", "pill hit", `cache ${record.cache}`) : element("span", "pill ok", "ok")];
  }
  const pill = element("span", "pill failed", record.outcome.replaceAll("_", " "));
  return record.error ? [pill, " ", element("small", "", record.error)] : [pill];
}
