// Numbers, money and times as people read them, and elements made of text alone: nothing from the data is ever parsed as HTML.

const language = navigator.language;
const whole = new Intl.NumberFormat(language);
const short = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });

export const count = (value) => (value < 100_000 ? whole : short).format(value);

export function dollars(nano) {
  const value = nano / 1e9;
  const digits = value === 0 || value >= 1 ? 2 : Math.min(6, 2 - Math.floor(Math.log10(value)));
  return new Intl.NumberFormat(language, {
    style: "currency", currency: "USD", minimumFractionDigits: 2, maximumFractionDigits: Math.max(2, digits),
  }).format(value);
}

export function duration(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  if (ms < 3_600_000) return `${(ms / 60_000).toFixed(1)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

export function percent(part, all) {
  if (all === 0) return "–";
  const share = (100 * part) / all;
  return `${share === 0 || share >= 10 ? share.toFixed(0) : share.toFixed(share < 0.1 ? 2 : 1)} %`;
}

export const clock = (ms) => new Date(ms).toLocaleTimeString(language);

/** The name of a chart's step: the time of day within a day, else the day too. */
export function moment(ms, step) {
  const day = { month: "short", day: "numeric" };
  const time = { hour: "2-digit", minute: "2-digit" };
  if (step >= 86_400_000) return new Date(ms).toLocaleDateString(language, { ...day, timeZone: "UTC" });
  return new Date(ms).toLocaleString(language, step > 3_600_000 ? { ...day, ...time } : time);
}

/** An element with a class and children: texts or elements. */
export function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}
