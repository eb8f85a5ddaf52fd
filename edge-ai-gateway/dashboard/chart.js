// Charts in SVG. Each is one figure for a screen reader, and a cursor that the pointer or the arrow keys move.

import { element, moment } from "./format.js";

const NAMESPACE = "http://www.w3.org/2000/svg";
const HEIGHT = 190;
const LEFT = 52;
const BOTTOM = 22;

export function svg(name, attributes, ...children) {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/**
 * Draws `layers` over the points of a series.
 *
 * @param layers  { name, color, value(point), kind: "bar" | "line" | "area" }; bars are stacked in their order
 */
export function draw(container, { points, step, layers, format, summary }) {
  const width = Math.max(280, container.clientWidth);
  const height = container.closest(".wide") ? HEIGHT + 30 : HEIGHT;
  const values = points.map((point) => layers.map((layer) => layer.value(point)));
  const stacked = layers[0].kind === "bar";
  const top = niceTop(Math.max(0, ...values.map((row) => (stacked ? sum(row) : Math.max(0, ...row.map(Number))))));
  const slot = (width - LEFT) / points.length;
  const x = (at) => LEFT + slot * (at + 0.5);
  const y = (value) => 6 + (height - BOTTOM - 6) * (1 - value / top);

  // Drawn anew while somebody reads it by keyboard, it stays where it was.
  const focused = container.contains(document.activeElement);
  const kept = focused ? container.cursorAt : null;

  const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", tabindex: "0", "aria-label": summary });
  for (const share of [0, 0.5, 1]) {
    const line = { x1: LEFT, x2: width, y1: y(top * share), y2: y(top * share), class: "grid" };
    const label = svg("text", { x: LEFT - 10, y: y(top * share) + 4, "text-anchor": "end", class: "tick" });
    label.textContent = format(top * share);
    drawing.append(svg("line", line), label);
  }
  const every = Math.ceil(points.length / Math.max(2, Math.floor(width / 120)));
  points.forEach((point, at) => {
    if (at % every !== 0) return;
    const label = svg("text", { x: x(at), y: height - 4, "text-anchor": at === 0 ? "start" : "middle", class: "tick" });
    label.textContent = moment(point.at, step);
    drawing.append(label);
  });
  if (stacked) bars(drawing, { layers, values, slot, x, y });
  else layers.forEach((layer, index) => line(drawing, { layer, values: values.map((row) => row[index]), x, y }));

  const cursor = svg("line", { y1: 6, y2: height - BOTTOM, class: "cursor", visibility: "hidden" });
  drawing.append(cursor);
  const legend = element("div", "legend");
  let selected = null;
  const show = (at) => {
    selected = at;
    container.cursorAt = at;
    const totals = at === null;
    cursor.setAttribute("visibility", totals ? "hidden" : "visible");
    if (!totals) for (const end of ["x1", "x2"]) cursor.setAttribute(end, x(at));
    legend.replaceChildren(
      ...layers.map((layer, index) => {
        const value = totals ? "" : values[at][index];
        const shown = totals ? [] : [" ", element("b", "", value === null ? "–" : format(value))];
        return element("span", "", element("i", `c-${layer.color}`), layer.name, ...shown);
      }),
      ...(totals ? [] : [element("span", "when", moment(points[at].at, step))]),
    );
  };
  drawing.addEventListener("pointermove", (event) => {
    const at = Math.floor(((event.offsetX * width) / drawing.clientWidth - LEFT) / slot);
    show(at >= 0 && at < points.length ? at : null);
  });
  drawing.addEventListener("pointerleave", () => show(null));
  drawing.addEventListener("blur", () => show(null));
  drawing.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!move) return;
    event.preventDefault();
    const from = selected ?? (move > 0 ? -1 : points.length);
    show(Math.min(points.length - 1, Math.max(0, from + move)));
    legend.setAttribute("aria-live", "polite");
  });
  container.replaceChildren(drawing, legend);
  if (focused) drawing.focus();
  show(kept !== null && kept < points.length ? kept : null);
}

function bars(drawing, { layers, values, slot, x, y }) {
  const width = Math.max(1, Math.min(34, slot * 0.72));
  values.forEach((row, at) => {
    let below = 0;
    row.forEach((value, index) => {
      if (!value) return;
      const from = y(below + value);
      const height = Math.max(1, y(below) - from);
      drawing.append(svg("rect", { x: x(at) - width / 2, y: from, width, height, rx: Math.min(2, width / 4), class: `c-${layers[index].color}` }));
      below += value;
    });
  });
}

/** A line with gaps where there is nothing to say. */
function line(drawing, { layer, values, x, y }) {
  const runs = [];
  values.forEach((value, at) => {
    if (value === null || value === undefined) return;
    if (at === 0 || values[at - 1] === null || values[at - 1] === undefined) runs.push([]);
    runs.at(-1).push([x(at), y(value)]);
  });
  for (const run of runs) {
    const path = `M${run.map((point) => point.join(",")).join("L")}`;
    if (layer.kind === "area") {
      drawing.append(svg("path", { d: `${path}L${run.at(-1)[0]},${y(0)}L${run[0][0]},${y(0)}Z`, class: `area c-${layer.color}`, stroke: "none" }));
    }
    if (run.length === 1) drawing.append(svg("circle", { cx: run[0][0], cy: run[0][1], r: 3, class: `c-${layer.color}` }));
    else drawing.append(svg("path", { d: path, class: `line c-${layer.color}`, fill: "none" }));
  }
}

/** A small bar that says how large a share is. */
export function share(part, all) {
  const made = svg("svg", { viewBox: "0 0 100 4", preserveAspectRatio: "none", class: "bar", "aria-hidden": "true" });
  const width = all > 0 ? Math.min(100, (100 * part) / all) : 0;
  made.append(svg("rect", { width: 100, height: 4, rx: 2, class: "rest" }), svg("rect", { width, height: 4, rx: 2 }));
  return made;
}

const sum = (row) => row.reduce((total, value) => total + value, 0);

/** The next round number. */
function niceTop(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((factor) => factor * power).find((top) => top >= value);
}
