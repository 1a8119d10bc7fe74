// Bars by name, standing or lying, side by side or stacked.

import type { Frame } from "../api";
import { day, exact, glance, month, tick } from "../format";
import { isTime, plainNumbers, wide } from "../frame";
import { option, type Panel } from "../grafana";
import { ink, nth } from "../theme";
import { axisLook, base, bubble, mount } from "./charts";
import { colorOf } from "./timeseries";

export function barchart(p: Panel, f: Frame, into: HTMLElement): (() => void) | null {
  const w = wide(p, f, option(p, "xField", ""));
  if (!w) return null;
  const names = plainNumbers(w.x.map((v) => (typeof v === "string" ? v : isTime(w.xField.column) ? timeName(w.x as number[])(v) : String(v))));
  const longest = Math.max(...names.map((n) => n.length));
  const orientation = option(p, "orientation", "auto");
  const narrow = into.clientWidth < 420;
  const lying = orientation === "horizontal" || (orientation === "auto" && longest > 14 && names.length > 4 && names.length <= 24) || (narrow && longest > 8 && names.length > 5 && names.length <= 12);
  const mode = option(p, "stacking", "none"), one = w.series.length === 1;
  const config = w.series[0]!.field.config;
  const showValue = option(p, "showValue", "auto");
  const say = showValue === "always" || (showValue === "auto" && mode === "none" && names.length * w.series.length <= (lying ? 16 : 14));
  const totals = names.map((_, i) => w.series.reduce((a, sr) => a + (sr.values[i] ?? 0), 0));
  const shareOf = (v: number | null, i: number): number | null => (mode === "percent" && v !== null ? v / (totals[i] || 1) : v);
  const unit = mode === "percent" ? "percentunit" : config.unit;
  const byName = option(p, "colorByField", "") !== "";
  const category = {
    type: "category", data: names, inverse: lying, ...axisLook(false),
    axisLabel: { ...(axisLook(false)["axisLabel"] as object), color: ink("muted"), width: lying ? Math.min(150, into.clientWidth / 3) : undefined, overflow: "truncate", interval: lying ? 0 : "auto" },
  };
  const value = {
    type: "value", ...axisLook(true), splitNumber: 4, interval: unit === "percentunit" && (mode === "percent" || config.max === 1) ? 0.25 : undefined, min: config.min, max: mode === "percent" ? 1 : config.max,
    axisLabel: { ...(axisLook(true)["axisLabel"] as object), formatter: (v: number) => tick(v, unit), show: !(say && one && lying) },
    splitLine: { show: !(say && one && lying), lineStyle: { color: ink("grid") } },
  };
  const stack = mode === "none" ? undefined : "all";
  const o = {
    ...base(),
    grid: { ...(base()["grid"] as object), right: lying && say ? 56 : 10, top: say && !lying ? 22 : 12 },
    xAxis: lying ? value : category, yAxis: lying ? category : value,
    tooltip: {
      ...(base()["tooltip"] as object), trigger: "axis", axisPointer: { type: "shadow", shadowStyle: { color: ink("hover") } },
      formatter: (params: { dataIndex: number }[]) => {
        const i = params[0]?.dataIndex ?? 0;
        return bubble(names[i] ?? "", w.series.map((sr, k) => ({ name: sr.name, color: colorOf(sr, k, w.series.length), value: sr.values[i] == null ? "–" : exact(sr.values[i], sr.field.config.unit, sr.field.config.decimals) })));
      },
    },
    series: w.series.map((sr, k) => ({
      type: "bar", name: sr.name, stack, barMaxWidth: lying ? 22 : 44, barCategoryGap: "28%", barGap: "12%", emphasis: { disabled: true },
      itemStyle: { color: colorOf(sr, k, w.series.length), borderRadius: stack ? 0 : lying ? [0, 3, 3, 0] : [3, 3, 0, 0] },
      data: sr.values.map((v, i) => (byName && one ? { value: shareOf(v, i), itemStyle: { color: nth(i) } } : shareOf(v, i))),
      label: { show: say, position: stack ? "inside" : lying ? "right" : "top", color: stack ? "#fff" : ink("muted"), fontSize: 11.5, formatter: (d: { value: number | null }) => (d.value == null ? "" : glance(d.value, unit, sr.field.config.decimals)) },
      labelLayout: { hideOverlap: true },
    })),
  };
  const said = names.slice(0, 8).map((n, i) => `${n} ${w.series.map((sr) => (sr.values[i] == null ? "–" : glance(sr.values[i], sr.field.config.unit))).join(", ")}`);
  const keys = one || !option(p, "legend.showLegend", true) ? [] : w.series.map((sr, k) => ({ name: sr.name, color: colorOf(sr, k, w.series.length) }));
  return mount(into, o, keys, `${p.title ?? "Bars"}: ${said.join("; ")}.`);
}

function timeName(x: number[]): (t: number) => string {
  return x.every((t) => new Date(t).getUTCDate() === 1) ? month : day;
}
