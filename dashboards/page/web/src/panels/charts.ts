// ECharts, only what is used, with our look. Loaded after the first paint.

import { BarChart, LineChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { init, use, type ECharts, type EChartsCoreOption } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

import { h, vars } from "../dom";
import { ink } from "../theme";

use([LineChart, BarChart, GridComponent, TooltipComponent, LegendComponent, MarkLineComponent, MarkAreaComponent, AriaComponent, CanvasRenderer]);

export interface Key { name: string; color: string; dashed?: boolean }

/** mount draws options into an element; what it returns takes the chart away again. */
export function mount(into: HTMLElement, option: EChartsCoreOption, keys: Key[], label: string): () => void {
  into.classList.add("chart-body");
  const canvas = h("div", { class: "chart", role: "img", "aria-label": label });
  if (keys.length > 1) into.append(legend(keys, () => chart));
  into.append(canvas);
  const chart: ECharts = init(canvas, undefined, { renderer: "canvas" });
  chart.setOption({ ...option, legend: { show: false, data: keys.map((k) => k.name) } });
  const size = new ResizeObserver(() => chart.resize());
  size.observe(canvas);
  return () => { size.disconnect(); chart.dispose(); };
}

function legend(keys: Key[], chart: () => ECharts): HTMLElement {
  return h("div", { class: "legend", role: "group", "aria-label": "Series" }, ...keys.map((k) => {
    const b = vars(h("button", { type: "button", "aria-pressed": "true", class: k.dashed ? "key dashed" : "key", title: "Show or hide" }, h("span", { class: "swatch", "aria-hidden": "true" }), k.name), { tone: k.color });
    b.addEventListener("click", () => {
      const on = b.getAttribute("aria-pressed") !== "true";
      b.setAttribute("aria-pressed", String(on));
      chart().dispatchAction({ type: on ? "legendSelect" : "legendUnSelect", name: k.name });
    });
    return b;
  }));
}

/** base is what all charts share. */
export function base(): EChartsCoreOption {
  return {
    animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    animationDuration: 350,
    textStyle: { fontFamily: ink("font"), color: ink("muted"), fontSize: 12 },
    grid: { left: 2, right: 10, top: 12, bottom: 5, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    tooltip: {
      confine: true, appendTo: "body", borderWidth: 0, padding: 0, backgroundColor: "transparent", extraCssText: "box-shadow:none", transitionDuration: 0.1,
    },
  };
}

export interface Line { name: string; color: string; value: string }

/** bubble is what a tooltip shows. */
export function bubble(title: string, lines: Line[]): HTMLElement {
  return h("div", { class: "bubble" }, h("div", { class: "bubble-title" }, title), ...lines.map((l) =>
    h("div", { class: "bubble-line" }, vars(h("span", { class: "swatch" }), { tone: l.color }), h("span", {}, l.name), h("b", {}, l.value))));
}

/** axisLook is the look of a value axis or a category axis. */
export function axisLook(lines: boolean): Record<string, unknown> {
  return {
    axisLine: { show: !lines, lineStyle: { color: ink("line") } }, axisTick: { show: false },
    axisLabel: { color: ink("faint"), fontSize: 11.5, hideOverlap: true },
    splitLine: { show: lines, lineStyle: { color: ink("grid"), width: 1 } },
  };
}
