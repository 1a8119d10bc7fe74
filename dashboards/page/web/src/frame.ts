// What panels need of a frame: its columns by kind, its series, its reductions.

import type { Cell, Column, Frame } from "./api";
import type { FieldConfig, Panel } from "./grafana";
import { custom, display, field } from "./grafana";
import { day, exact, glance, moment } from "./format";
import { paint } from "./theme";
import { wall } from "./zone";

export interface Field { index: number; column: Column; config: FieldConfig; label: string }

const hiddenColumns = new Set(["is_simulated", "simulated"]);

const aDay = 86_400_000;

/** fields are the columns with what the dashboard says of them. Times that are all midnights in UTC are days: a zone must not move them. */
export function fields(p: Panel, f: Frame): Field[] {
  return f.columns.map((own, index) => {
    const days = own.kind === "time" && f.rows.length > 0 && f.rows.every((r) => r[index] === null || (r[index] as number) % aDay === 0);
    const column: Column = days ? { ...own, kind: "date" } : own;
    const config = field(p, column);
    return { index, column, config, label: display(config, column.name) };
  });
}

export const isTime = (c: Column): boolean => c.kind === "time" || c.kind === "date";
export const isHidden = (f: Field): boolean => custom(f.config, "hideFrom.viz", false) || custom(f.config, "hidden", false) || hiddenColumns.has(f.column.name);
export const shown = (all: Field[]): Field[] => all.filter((f) => !isHidden(f));
export const numeric = (all: Field[]): Field[] => shown(all).filter((f) => f.column.kind === "number");

/** ms is a time cell as wall-clock milliseconds; null when there is none. */
export function ms(cell: Cell | undefined, kind: string): number | null {
  if (typeof cell === "number") return kind === "time" ? wall(cell) : cell;
  if (typeof cell === "string" && kind === "date") return Date.parse(`${cell}T00:00:00Z`);
  return null;
}

export const num = (cell: Cell | undefined): number | null => (typeof cell === "number" ? cell : typeof cell === "string" && cell !== "" && !Number.isNaN(Number(cell)) ? Number(cell) : null);

/** text writes a cell in full. */
export function text(cell: Cell | undefined, f: Field, short = false): string {
  if (cell === null || cell === undefined) return "–";
  const mapped = mapping(cell, f.config);
  if (mapped?.text) return mapped.text;
  switch (f.column.kind) {
    case "number": {
      const v = num(cell);
      return v === null ? String(cell) : (short ? glance : exact)(v, f.config.unit, f.config.decimals);
    }
    case "time": case "date": {
      const t = ms(cell, f.column.kind);
      return t === null ? "–" : f.column.kind === "date" ? day(t) : moment(t);
    }
    case "bool": return cell ? "yes" : "no";
    case "text": return String(cell);
    default: return typeof cell === "object" ? (Array.isArray(cell) ? cell.join(", ") : JSON.stringify(cell)) : String(cell);
  }
}

/** plainNumbers drops the zeros that only keep names in order: 01, 02. */
export const plainNumbers = (list: string[]): string[] => (list.every((n) => /^\d+$/.test(n)) ? list.map((n) => String(Number(n))) : list);

/** name writes a cell that names a row, a column or a place on an axis: without the unit, which is that of the values. */
export const name = (cell: Cell | undefined, f: Field): string => text(cell, { ...f, config: { ...f.config, unit: "none", decimals: undefined as never } });

/** mapping finds what Grafana's value mappings say of a value. */
export function mapping(cell: Cell, c: FieldConfig): { text?: string; color?: string } | null {
  for (const m of c.mappings ?? []) {
    if (m.type === "value" && m.options[String(cell)]) return m.options[String(cell)]!;
    if (m.type === "range" && typeof cell === "number" && cell >= (m.options.from ?? -Infinity) && cell <= (m.options.to ?? Infinity)) return m.options.result ?? null;
    if (m.type === "regex" && m.options.match && new RegExp(m.options.match.replace(/^\/|\/$/g, "")).test(String(cell))) return m.options.result ?? null;
  }
  return null;
}

/** threshold is the colour of a value, and null where there is nothing to tell: a lone base step. */
export function threshold(v: number | null, c: FieldConfig, min = c.min ?? 0, max = c.max ?? 100): string | null {
  const steps = c.thresholds?.steps ?? [];
  if (v === null || steps.length < 2) return null;
  const at = c.thresholds?.mode === "percentage" ? ((v - min) / (max - min || 1)) * 100 : v;
  let color: string | null = null;
  for (const st of steps) if (st.value === null || at >= st.value) color = st.color;
  return color && color !== "text" && color !== "transparent" ? paint(color) : null;
}

export function reduce(values: (number | null)[], calc: string): number | null {
  const known = values.filter((v): v is number => v !== null);
  if (known.length === 0) return null;
  switch (calc) {
    case "first": case "firstNotNull": return known[0]!;
    case "last": return values.at(-1) ?? null;
    case "min": return Math.min(...known);
    case "max": return Math.max(...known);
    case "sum": return known.reduce((a, b) => a + b, 0);
    case "mean": return known.reduce((a, b) => a + b, 0) / known.length;
    case "count": return known.length;
    case "range": return Math.max(...known) - Math.min(...known);
    default: return known.at(-1)!;
  }
}

export interface Series { name: string; field: Field; values: (number | null)[] }
export interface Wide { x: (number | string)[]; xField: Field; series: Series[] }

/** wide gives one series for each number column, and where there are labels one for each label too. */
export function wide(p: Panel, f: Frame, xName = ""): Wide | null {
  const all = fields(p, f), numbers = numeric(all);
  const xField = all.find((c) => c.column.name === xName) ?? all.find((c) => isTime(c.column)) ?? shown(all).find((c) => c.column.kind === "text") ?? shown(all)[0];
  const values = numbers.filter((n) => n !== xField);
  if (!xField || values.length === 0) return null;
  const labels = shown(all).filter((c) => c !== xField && (c.column.kind === "text" || (isTime(xField.column) && c.column.kind === "bool")));
  const at = new Map<number | string, number>();
  const x: (number | string)[] = [];
  const series = new Map<string, Series>();
  for (const row of f.rows) {
    const cell = row[xField.index];
    const key = isTime(xField.column) ? ms(cell, xField.column.kind) : typeof cell === "number" ? cell : name(cell, xField);
    if (key === null) continue;
    let i = at.get(key);
    if (i === undefined) { i = x.length; at.set(key, i); x.push(key); }
    const label = labels.map((l) => text(row[l.index], l)).join(" · ");
    for (const n of values) {
      const title = label ? (values.length > 1 ? `${label} · ${n.label}` : label) : n.label;
      let sr = series.get(title);
      if (!sr) {
        const own = label ? { ...n, config: field(p, { name: label, kind: "number" }), label: title } : n;
        if (label) own.config = { ...n.config, ...pick(own.config, n.config) };
        series.set(title, sr = { name: title, field: own, values: [] });
      }
      sr.values[i] = num(row[n.index]);
    }
  }
  const list = [...series.values()];
  for (const sr of list) for (let i = 0; i < x.length; i++) sr.values[i] ??= null;
  if (isTime(xField.column)) sortByX(x as number[], list);
  return { x, xField, series: list };
}

// pick keeps of a label's own overrides only what differs from the defaults.
function pick(own: FieldConfig, base: FieldConfig): FieldConfig {
  const out: Record<string, unknown> = {};
  for (const [k, v] of Object.entries(own)) {
    if (JSON.stringify(v) !== JSON.stringify((base as Record<string, unknown>)[k])) out[k] = v;
  }
  return out as FieldConfig;
}

function sortByX(x: number[], list: Series[]): void {
  if (x.every((v, i) => i === 0 || x[i - 1]! <= v)) return;
  const order = x.map((_, i) => i).sort((a, b) => x[a]! - x[b]!);
  const old = [...x];
  order.forEach((from, to) => { x[to] = old[from]!; });
  for (const sr of list) sr.values = order.map((i) => sr.values[i]!);
}

/** linkOf gives where a cell leads on this page: a data link of its column, or the customer it names. */
export function linkOf(cell: Cell | undefined, f: Field, row: Cell[], all: Field[]): string {
  if (cell === null || cell === undefined || cell === "") return "";
  const url = f.config.links?.[0]?.url;
  if (url) {
    const filled = url.replace(/\$\{__value\.(?:raw|text)[^}]*\}/g, encodeURIComponent(String(cell))).replace(/\$\{__data\.fields(?:\.|\[")([^}"\]:]+)"?\]?(?:[:.][^}]*)?\}/g, (_, name: string) => {
      const other = all.find((o) => o.column.name === name || o.label === name);
      return encodeURIComponent(String(other ? row[other.index] ?? "" : ""));
    });
    const own = toOwn(filled);
    if (own) return own;
  }
  return /^(customer_id|account_id|customer)$/.test(f.column.name) ? `#/customer/${encodeURIComponent(String(cell))}` : "";
}

/** toOwn turns one of Grafana's addresses into one of this page; empty when it is neither. */
export function toOwn(url: string): string {
  const hash = url.indexOf("#/");
  if (hash >= 0) return url.slice(hash);
  const m = /\/d\/([^/?]+)(?:\/[^?]*)?(?:\?(.*))?$/.exec(url);
  if (m) {
    const q = new URLSearchParams(m[2] ?? "");
    const customer = q.get("var-customer") ?? q.get("var-customer_id");
    if (customer) return `#/customer/${encodeURIComponent(customer)}`;
    const own = new URLSearchParams();
    q.forEach((v, k) => { if (k.startsWith("var-") && !v.includes("${")) own.append(k.slice(4), v); });
    return `#/d/${m[1]}${own.size ? `?${own}` : ""}`;
  }
  return /^https?:\/\//.test(url) ? url : "";
}
