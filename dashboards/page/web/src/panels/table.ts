// A table: sorted by any column, cells coloured as the dashboard says, customers
// and data links lead on.

import type { Cell, Frame } from "../api";
import { h, vars, type Child } from "../dom";
import { fields, linkOf, mapping, num, shown, text, threshold, type Field } from "../frame";
import { custom, option, type Panel } from "../grafana";
import { ink, mix, nth, paint, readable, shade } from "../theme";

const step = 100; // rows that are added at a time

interface Order { index: number; desc: boolean }

export function table(p: Panel, f: Frame, into: HTMLElement): void {
  const all = fields(p, f), columns = shown(all);
  const by = option<{ displayName: string; desc?: boolean }[]>(p, "sortBy", [])[0];
  const first = columns.find((c) => by && (c.label === by.displayName || c.column.name === by.displayName));
  let order: Order | null = first ? { index: first.index, desc: by?.desc ?? false } : null;
  let rows = f.rows, count = step;
  const ranges = new Map(columns.map((c) => [c.index, range(f.rows, c)]));
  const body = h("tbody");
  const more = h("button", { class: "quiet more", type: "button", onClick: () => { count += step; draw(); } });
  const heads = columns.map((c) => h("th", { scope: "col", class: isNumber(c) ? "right" : "" }, h("button", { type: "button", class: "sort", onClick: () => sortBy(c) }, c.label, h("span", { class: "sort-mark", "aria-hidden": "true" }))));

  function sortBy(c: Field): void {
    order = order?.index === c.index ? (order.desc === isNumber(c) ? { index: c.index, desc: !order.desc } : null) : { index: c.index, desc: isNumber(c) };
    draw();
  }

  function draw(): void {
    rows = order ? sorted(f.rows, order) : f.rows;
    heads.forEach((th, i) => {
      const on = order?.index === columns[i]!.index;
      if (on) th.setAttribute("aria-sort", order!.desc ? "descending" : "ascending"); else th.removeAttribute("aria-sort");
    });
    body.replaceChildren(...rows.slice(0, count).map((row) => h("tr", {}, ...columns.map((c) => cell(row, c, all, ranges.get(c.index)!)))));
    more.textContent = `Show ${Math.min(step, rows.length - count)} more of ${rows.length - count}`;
    more.hidden = rows.length <= count;
  }

  into.className += " scroll table-body";
  into.tabIndex = 0;
  into.append(h("table", {}, h("caption", { class: "sr" }, p.title ?? "Table"), h("thead", {}, h("tr", {}, ...heads)), body), more);
  draw();
}

const isNumber = (c: Field): boolean => c.column.kind === "number";

function sorted(rows: Cell[][], o: Order): Cell[][] {
  const rank = (a: Cell | undefined, b: Cell | undefined): number => {
    if (a === null || a === undefined) return b === null || b === undefined ? 0 : 1;
    if (b === null || b === undefined) return -1;
    const d = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
    return o.desc ? -d : d;
  };
  return [...rows].sort((a, b) => rank(a[o.index], b[o.index]));
}

function range(rows: Cell[][], c: Field): [number, number] {
  let low = c.config.min ?? Infinity, high = c.config.max ?? -Infinity;
  if (c.config.min === undefined || c.config.max === undefined) {
    for (const row of rows) {
      const v = num(row[c.index]);
      if (v === null) continue;
      if (c.config.min === undefined) low = Math.min(low, v);
      if (c.config.max === undefined) high = Math.max(high, v);
    }
  }
  return [low, high];
}

function cell(row: Cell[], c: Field, all: Field[], [low, high]: [number, number]): HTMLElement {
  const v = row[c.index], to = linkOf(v, c, row, all), said = text(v, c);
  const inner: Child = to ? h("a", { href: to }, said) : said;
  const td = h("td", { class: isNumber(c) ? "right" : v === null ? "faint" : "" });
  const type = custom(c.config, "cellOptions.type", custom(c.config, "displayMode", "auto"));
  const n = num(v ?? null), color = colorOf(v ?? null, n, c, low, high);
  if (type.startsWith("color-background") && color) {
    td.append(inner);
    // A scale needs its shades; a verdict is said calmly: a tint, and a bar of the colour.
    const scale = (c.config.color?.mode ?? "").startsWith("continuous"), tint = mix(ink("card"), color, 0.2);
    vars(td, scale ? { ground: color, "on-ground": readable(color) } : { ground: tint, "on-ground": ink("ink"), tone: color }).classList.add("filled", scale ? "scale" : "tint");
  } else if (type === "color-text" && color) {
    td.append(inner);
    vars(td, { tone: color }).classList.add("toned");
  } else if (type === "gauge" && n !== null) {
    const share = Math.max(0, Math.min(1, (n - Math.min(0, low)) / (high - Math.min(0, low) || 1)));
    td.append(vars(h("span", { class: "cell-gauge" }, h("span", { class: "cell-fill", "aria-hidden": "true" }), h("span", {}, inner)), { share, tone: color ?? nth(0) }));
  } else td.append(inner);
  return td;
}

/** colorOf is the colour of a cell: of its mapping, of a scale, or of its thresholds. */
export function colorOf(v: Cell, n: number | null, c: Field, low: number, high: number): string | null {
  const mapped = v === null ? undefined : mapping(v, c.config)?.color;
  if (mapped) return paint(mapped);
  const mode = c.config.color?.mode ?? "thresholds";
  if (mode.startsWith("continuous")) return n === null || !Number.isFinite(low) ? null : shade(high > low ? (n - low) / (high - low) : 1);
  if (mode === "fixed") return paint(c.config.color?.fixedColor);
  return threshold(n, c.config, low, high);
}
