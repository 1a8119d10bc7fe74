// One or more big numbers, each with its course and its change over the range.

import type { Frame } from "../api";
import { h, s, vars, type Child } from "../dom";
import { exact, glance } from "../format";
import { fields, isTime, ms, num, numeric, reduce, shown, text, threshold, mapping, type Field } from "../frame";
import { display, option, type Panel } from "../grafana";
import { nth, paint } from "../theme";

interface Value { label: string; text: string; title: string; color: string | null; course: number[]; change: number | null; changeText: string; from: string; good: number; unit: string | undefined }

export function stat(p: Panel, f: Frame, into: HTMLElement): void {
  const values = read(p, f);
  const spark = option(p, "graphMode", "area") !== "none";
  into.className += " stat";
  into.append(h("div", { class: values.length > 1 ? "stat-row many" : "stat-row" }, ...values.slice(0, 12).map((v) => one(v, values.length > 1))));
  const course = values.length === 1 ? values[0]!.course : [];
  if (spark && course.length > 2) {
    into.append(sparkline(course, values[0]!.color ?? nth(0)));
    into.classList.add("with-spark");
  }
}

function one(v: Value, named: boolean): HTMLElement {
  const parts: Child[] = [];
  if (named) parts.push(h("span", { class: "stat-name" }, v.label));
  const m = /^(.*\d)([\u00a0\u202f].*)$/.exec(v.text);
  const value = m ? h("span", { class: "stat-value", title: v.title }, m[1]!, h("span", { class: "stat-unit" }, m[2]!)) : h("span", { class: /\d/.test(v.text) ? "stat-value" : "stat-value words", title: v.title }, v.text);
  if (v.color) vars(value, { tone: v.color }).classList.add("toned");
  parts.push(value);
  if (v.change !== null) {
    const way = v.change > 0.0005 ? "▲" : v.change < -0.0005 ? "▼" : "•";
    const mood = v.good === 0 || way === "•" ? "" : (v.change > 0) === (v.good > 0) ? "good" : "bad";
    parts.push(h("span", { class: "stat-change" }, h("b", {}, h("i", { class: mood }, way), v.changeText && ` ${v.changeText}`), ` from ${v.from}`));
  }
  return h("div", { class: "stat-one" }, ...parts);
}

function read(p: Panel, f: Frame): Value[] {
  const all = fields(p, f), time = all.find((c) => isTime(c.column)), numbers = numeric(all);
  const calc = option(p, "reduceOptions.calcs", ["lastNotNull"])[0] ?? "lastNotNull";
  if (numbers.length === 0 || option(p, "reduceOptions.fields", "").includes(".*")) {
    const row = f.rows.at(-1) ?? [];
    return shown(all).map((c) => plain(c, text(row[c.index], c, true), num(row[c.index])));
  }
  if (option(p, "reduceOptions.values", false)) {
    const label = shown(all).find((c) => c.column.kind === "text");
    return f.rows.flatMap((row) => numbers.map((c) => plain(c, text(row[c.index], c, true), num(row[c.index]), label ? text(row[label.index], label) : c.label)));
  }
  const rows = time ? [...f.rows].sort((a, b) => (ms(a[time.index], time.column.kind) ?? 0) - (ms(b[time.index], time.column.kind) ?? 0)) : f.rows;
  return numbers.map((c) => {
    const course = rows.map((row) => num(row[c.index]));
    const v = reduce(course, calc);
    const out = plain(c, v === null ? c.config.noValue ?? "–" : text(v, c, true), v);
    if (time) {
      out.course = course.filter((x): x is number => x !== null);
      const first = out.course[0];
      if (option(p, "showPercentChange", false) && v !== null && first) change(out, p, c, first, out.course.at(-1)!);
    }
    return out;
  });
}

const moods: Record<string, number> = { standard: 1, inverted: -1 };

/** change says how the last value differs from the first; shares differ by percentage points. */
function change(v: Value, p: Panel, c: Field, first: number, last: number): void {
  v.change = (last - first) / Math.abs(first);
  const share = c.config.unit === "percentunit" ? 100 : c.config.unit === "percent" ? 1 : 0;
  const size = Math.abs(v.change); // a tenfold change or more is told by what it was
  v.changeText = share ? `${glance(Math.abs(last - first) * share, "none", 1)} pp` : size >= 10 ? "" : glance(size, "percentunit", size < 0.1 ? 1 : 0);
  v.from = glance(first, c.config.unit, c.config.decimals);
  v.good = moods[option(p, "percentChangeColorMode", "standard")] ?? 0;
}

function plain(c: Field, shownText: string, v: number | null, label = c.label): Value {
  const color = v === null ? null : mapping(v, c.config)?.color;
  return {
    label: label || display(c.config, c.column.name), text: shownText, unit: c.config.unit, course: [], change: null, changeText: "", from: "", good: 0,
    title: v === null ? shownText : exact(v, c.config.unit), color: color ? paint(color) : c.config.color?.mode === "fixed" ? paint(c.config.color.fixedColor) : threshold(v, c.config),
  };
}

/** sparkline draws a course without axes. */
export function sparkline(course: number[], color: string, label = ""): SVGElement {
  const low = Math.min(...course), span = Math.max(...course) - low || 1;
  const pts = course.map((v, i) => `${((i / (course.length - 1)) * 100).toFixed(2)},${(28 - ((v - low) / span) * 24).toFixed(2)}`);
  return vars(s("svg", { class: "spark", viewBox: "0 0 100 32", preserveAspectRatio: "none", role: "img", "aria-label": label || `Course: from ${glance(course[0]!)} to ${glance(course.at(-1)!)}` },
    s("path", { d: `M0,32 L${pts.join(" L")} L100,32 Z`, class: "spark-area" }),
    s("polyline", { points: pts.join(" "), class: "spark-line" })), { tone: color });
}
