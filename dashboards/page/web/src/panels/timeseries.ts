// Lines, stacked areas, bars and bands over time.

import type { Frame } from "../api";
import type { Note } from "../board";
import { clock, day, dayOnly, exact, glance, moment, month, tick } from "../format";
import { isTime, threshold, wide, type Series } from "../frame";
import { custom, option, type FieldConfig, type Panel } from "../grafana";
import { ink, nth, paint } from "../theme";
import { wall } from "../zone";
import { axisLook, base, bubble, mount, type Key } from "./charts";

interface Drawn { series: Record<string, unknown>; key: Key | null }

export function timeseries(p: Panel, f: Frame, into: HTMLElement, notes: Note[]): (() => void) | null {
  const w = wide(p, f);
  if (!w || !isTime(w.xField.column)) return null;
  const x = w.x as number[];
  if (percent(w.series)) toShares(w.series);
  const bands = bandsOf(w.series);
  const drawn = w.series.flatMap((sr, i) => draw(sr, x, i, w.series, bands));
  const zero = w.series.some((sr) => style(sr) === "bars" || stacked(sr) || custom(sr.field.config, "fillOpacity", 0) > 20);
  const config = w.series[0]!.field.config;
  const unit = config.unit;
  if (drawn[0]) Object.assign(drawn[0].series, marks(config, gather(notes, x)));
  const bars = w.series.some((sr) => style(sr) === "bars");
  const at = ticks(x, Math.max(3, Math.floor(into.clientWidth / 92)));
  const o = {
    ...base(),
    xAxis: {
      type: "time", ...axisLook(false), ...(bars ? {} : { min: x[0], max: x.at(-1) }),
      axisLabel: { ...(axisLook(false)["axisLabel"] as object), formatter: label(x), customValues: at, showMinLabel: true, alignMinLabel: (at[0]! - x[0]!) / (x.at(-1)! - x[0]!) < 0.04 ? "left" : undefined },
    },
    yAxis: {
      type: "value", ...axisLook(true), scale: !zero, min: config.min, max: config.max ?? (percent(w.series) ? 1 : undefined), splitNumber: 4, interval: percent(w.series) || (unit === "percentunit" && config.max === 1 && config.min === 0) ? 0.25 : undefined,
      axisLabel: { ...(axisLook(true)["axisLabel"] as object), formatter: (v: number) => tick(v, unit) },
    },
    useUTC: true,
    series: drawn.map((d) => d.series),
  };
  const tip = (params: { dataIndex: number; seriesId: string }[]): HTMLElement => {
    const at = params[0]?.dataIndex ?? 0;
    return bubble(moment(x[at] ?? 0), w.series.map((sr, i) => ({ name: sr.name, color: colorOf(sr, i, w.series.length), value: sr.values[at] == null ? "–" : exact(sr.values[at], sr.field.config.unit, sr.field.config.decimals) }))
      .filter((l) => l.value !== "–" || w.series.length < 4));
  };
  Object.assign(o, { tooltip: { ...(base()["tooltip"] as object), trigger: "axis", formatter: tip, axisPointer: { lineStyle: { color: ink("muted"), type: "dashed" } } } });
  const keys = option(p, "legend.showLegend", true) ? drawn.map((d) => d.key).filter((k): k is Key => k !== null) : [];
  return mount(into, o, keys, summary(p, x, w.series));
}

const style = (sr: Series): string => custom(sr.field.config, "drawStyle", "line");
const stackMode = (sr: Series): string => custom(sr.field.config, "stacking.mode", "none");
const stacked = (sr: Series): boolean => stackMode(sr) !== "none";
const percent = (list: Series[]): boolean => list.some((sr) => stackMode(sr) === "percent");

/** toShares makes each value its share of the moment. */
function toShares(list: Series[]): void {
  const n = list[0]?.values.length ?? 0;
  for (let i = 0; i < n; i++) {
    const total = list.reduce((a, sr) => a + (sr.values[i] ?? 0), 0);
    for (const sr of list) { const v = sr.values[i]; if (v !== null && v !== undefined) sr.values[i] = total ? v / total : null; }
  }
  for (const sr of list) sr.field = { ...sr.field, config: { ...sr.field.config, unit: "percentunit", decimals: 1 } };
}

export function colorOf(sr: Series, i: number, of: number): string {
  const c: FieldConfig = sr.field.config;
  if ((c.color?.mode === "fixed" || c.color?.mode === "shades") && c.color.fixedColor) return paint(c.color.fixedColor);
  if (c.color?.mode === "thresholds" && of === 1) return threshold(sr.values.findLast((v) => v !== null) ?? null, c) ?? nth(0);
  return nth(i);
}

/** bandsOf maps the upper series of a band to its lower one. */
function bandsOf(list: Series[]): Map<Series, Series> {
  const out = new Map<Series, Series>();
  for (const sr of list) {
    const to = custom(sr.field.config, "fillBelowTo", "");
    const lower = to ? list.find((o) => o.name.toLowerCase() === to.toLowerCase() || o.field.column.name === to) : undefined;
    if (lower) out.set(sr, lower);
  }
  return out;
}

function draw(sr: Series, x: number[], i: number, all: Series[], bands: Map<Series, Series>): Drawn[] {
  const c = sr.field.config, color = colorOf(sr, i, all.length);
  const lower = bands.get(sr), isLower = [...bands.values()].includes(sr);
  const dashed = custom(c, "lineStyle.fill", "solid") !== "solid";
  const key: Key = { name: sr.name, color, dashed };
  const data = sr.values.map((v, k) => [x[k], v]);
  if (style(sr) === "bars") {
    return [{ series: { type: "bar", name: sr.name, data, stack: stacked(sr) ? "all" : undefined, barMaxWidth: 28, barCategoryGap: "25%", itemStyle: { color, borderRadius: stacked(sr) ? 0 : [3, 3, 0, 0] } }, key }];
  }
  const fill = custom(c, "fillOpacity", 0);
  const points = style(sr) === "points" || custom(c, "showPoints", "auto") === "always" || (x.length < 2);
  const line: Record<string, unknown> = {
    type: "line", name: sr.name, data, color, showSymbol: points, symbol: "circle", symbolSize: style(sr) === "points" ? 7 : 5, connectNulls: Boolean(custom<boolean | number>(c, "spanNulls", false)),
    smooth: custom(c, "lineInterpolation", "linear") === "smooth" ? 0.25 : false, step: /^step/.test(custom(c, "lineInterpolation", "linear")) ? "end" : undefined,
    lineStyle: { width: style(sr) === "points" ? 0 : lower || isLower ? 1 : custom(c, "lineWidth", 2) || 2, type: dashed ? "dashed" : "solid", opacity: lower || isLower ? 0.55 : 1 },
    emphasis: { disabled: true },
    stack: stacked(sr) ? "all" : undefined,
    areaStyle: !lower && (fill > 0 || stacked(sr)) ? { opacity: stacked(sr) ? Math.max(fill, 65) / 100 : Math.min(fill, 30) / 100, color } : undefined,
  };
  if (stacked(sr)) line["lineStyle"] = { width: 1, color: ink("card") };
  if (!lower) return [{ series: line, key: isLower ? null : key }];
  // A band: the lower series once more, unseen, and the difference filled on top of it.
  const id = `band ${i}`;
  const silent = { type: "line", stack: id, stackStrategy: "all", silent: true, showSymbol: false, lineStyle: { width: 0 }, tooltip: { show: false }, emphasis: { disabled: true } };
  return [
    { series: line, key: null },
    { series: { ...silent, name: `${id} from`, data: lower.values.map((v, k) => [x[k], v]) }, key: null },
    { series: { ...silent, name: `${id} to`, data: sr.values.map((v, k) => [x[k], v === null || lower.values[k] == null ? null : v - lower.values[k]!]), areaStyle: { color, opacity: 0.16 } }, key: null },
  ].map((d, k) => (k === 0 && all.length === 2 ? { ...d, key } : d)) as Drawn[];
}

/** gather makes one note of those that stand too near to be told apart. */
function gather(notes: Note[], x: number[]): Note[] {
  const near = ((x.at(-1) ?? 0) - (x[0] ?? 0)) / 40;
  const out: Note[] = [];
  for (const n of [...notes].sort((a, b) => a.time - b.time)) {
    const last = out.at(-1);
    if (last && n.time - last.time < near) last.text += `\n${n.text}`;
    else out.push({ ...n });
  }
  return out;
}

/** marks are thresholds that the panel draws, and the notes of the dashboard. */
function marks(c: FieldConfig, notes: Note[]): Record<string, unknown> {
  const data: Record<string, unknown>[] = notes.map((n) => ({
    xAxis: wall(n.time), lineStyle: { color: paint(n.color), type: "dotted", width: 1.5, opacity: 0.9 },
    label: { show: true, formatter: "◆", position: "end", distance: 0, color: paint(n.color), fontSize: 9 },
    tooltip: { formatter: () => bubble(moment(wall(n.time)), n.text.split("\n").map((name) => ({ name, color: paint(n.color), value: "" }))) },
  }));
  if (custom(c, "thresholdsStyle.mode", "off") !== "off") {
    for (const st of c.thresholds?.steps ?? []) {
      if (st.value === null || st.color === "transparent") continue;
      data.push({ yAxis: st.value, lineStyle: { color: paint(st.color), type: "dashed", width: 1.5 }, label: { formatter: glance(st.value, c.unit), position: "insideEndTop", color: paint(st.color), fontSize: 11 } });
    }
  }
  return data.length ? { markLine: { silent: false, symbol: "none", animation: false, data } } : {};
}

/** label writes the ticks of a time axis by what is told apart. */
function label(x: number[]): (t: number) => string {
  const span = (x.at(-1) ?? 0) - (x[0] ?? 0), d = 86_400_000;
  if (span >= 55 * d) return month;
  return (t) => (span > 3 * d || t % d === 0 ? dayOnly(t) : clock(t));
}

/** ticks stands at even steps that people count in: hours, days, weeks, months. */
function ticks(x: number[], most: number): number[] {
  const from = x[0] ?? 0, to = x.at(-1) ?? 0, hour = 3_600_000, d = 24 * hour;
  if (to - from < 55 * d) {
    const steps = [hour / 4, hour, 3 * hour, 6 * hour, 12 * hour, d, 2 * d, 7 * d, 14 * d];
    const step = steps.find((st) => (to - from) / st <= most) ?? 28 * d;
    const out: number[] = [];
    for (let t = Math.ceil(from / step) * step; t <= to; t += step) out.push(t);
    return out;
  }
  const step = [1, 2, 3, 6, 12, 24].find((n) => (to - from) / (n * 30.4 * d) <= most) ?? 60;
  const out: number[] = [];
  const first = new Date(from);
  for (let m = Math.ceil(first.getUTCMonth() / step) * step; out.length < 200; m += step) {
    const t = Date.UTC(first.getUTCFullYear(), m, 1);
    if (t > to) break;
    if (t >= from) out.push(t);
  }
  return out;
}

/** summary says in words what the picture shows. */
function summary(p: Panel, x: number[], list: Series[]): string {
  const said = list.slice(0, 6).map((sr) => {
    const known = sr.values.filter((v): v is number => v !== null);
    return known.length ? `${sr.name} from ${glance(known[0]!, sr.field.config.unit)} to ${glance(known.at(-1)!, sr.field.config.unit)}` : `${sr.name} without values`;
  });
  return `${p.title ?? "Chart"}, ${day(x[0] ?? 0)} to ${day(x.at(-1) ?? 0)}: ${said.join("; ")}.`;
}
