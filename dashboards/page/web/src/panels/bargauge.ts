// Bars with a name and a number each, one below the other.

import type { Frame } from "../api";
import { h, vars } from "../dom";
import { fields, linkOf, num, numeric, reduce, shown, text, threshold, isTime } from "../frame";
import { option, type Panel } from "../grafana";
import { paint } from "../theme";

const mostBars = 60;

export function bargauge(p: Panel, f: Frame, into: HTMLElement): void {
  const all = fields(p, f), numbers = numeric(all);
  const label = shown(all).find((c) => c.column.kind === "text" || isTime(c.column));
  const byRow = option(p, "reduceOptions.values", false) || (label !== undefined && f.rows.length > 1);
  const calc = option(p, "reduceOptions.calcs", ["lastNotNull"])[0] ?? "lastNotNull";
  const bars = byRow
    ? f.rows.slice(0, mostBars).flatMap((row) => numbers.map((c) => ({ c, row, v: num(row[c.index]), name: label ? text(row[label.index], label) + (numbers.length > 1 ? ` · ${c.label}` : "") : c.label })))
    : numbers.map((c) => ({ c, row: f.rows[0] ?? [], v: reduce(f.rows.map((r) => num(r[c.index])), calc), name: c.label }));
  const known = bars.map((b) => b.v ?? 0);
  into.className += " gauges";
  into.append(h("ul", { class: "gauge-list" }, ...bars.map(({ c, row, v, name }) => {
    const min = Math.min(c.config.min ?? 0, 0), max = c.config.max ?? Math.max(...known, 0);
    const share = v === null ? 0 : Math.max(0, Math.min(1, (v - min) / (max - min || 1)));
    const color = threshold(v, c.config, min, max) ?? (c.config.color?.mode === "fixed" ? paint(c.config.color.fixedColor) : paint(c.config.thresholds?.steps?.[0]?.color ?? "blue"));
    const to = label ? linkOf(row[label.index], label, row, all) : "";
    const value = v === null ? c.config.noValue ?? "–" : text(v, c, true);
    return h("li", {}, to ? h("a", { class: "gauge-name", href: to, title: name }, name) : h("span", { class: "gauge-name", title: name }, name),
      vars(h("span", { class: "gauge-track", "aria-hidden": "true" }, h("span", { class: "gauge-fill" })), { share, tone: color }),
      h("span", { class: "gauge-value", title: v === null ? "" : text(v, c) }, value));
  })));
}
