// The part of Grafana's dashboard JSON (v1, schema 42) that the page draws.

export interface Threshold { value: number | null; color: string }

export interface FieldConfig {
  unit?: string;
  decimals?: number;
  displayName?: string;
  noValue?: string;
  min?: number;
  max?: number;
  color?: { mode?: string; fixedColor?: string };
  thresholds?: { mode?: string; steps?: Threshold[] };
  mappings?: Mapping[];
  links?: { title?: string; url: string }[];
  custom?: Record<string, unknown>;
}

export interface Mapping {
  type: string;
  options: Record<string, { text?: string; color?: string }> & { from?: number; to?: number; match?: string; result?: { text?: string; color?: string } };
}

export interface Override {
  matcher: { id: string; options?: unknown };
  properties: { id: string; value?: unknown }[];
}

export interface Panel {
  id: number;
  type: string;
  title?: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  fieldConfig?: { defaults?: FieldConfig; overrides?: Override[] };
  options?: Record<string, unknown>;
  targets?: { rawSql?: string }[];
  links?: { title?: string; url: string }[];
  panels?: Panel[];
}

export interface Variable {
  name: string;
  label?: string;
  type: string;
  query?: unknown;
  hide?: number;
  multi?: boolean;
  includeAll?: boolean;
  allValue?: string | null;
  current?: { value?: string | string[]; text?: string | string[] };
  options?: { text: string; value: string }[];
}

export interface Dashboard {
  uid: string;
  title: string;
  description?: string;
  timezone?: string;
  refresh?: string;
  time?: { from?: string; to?: string };
  panels: Panel[];
  templating?: { list?: Variable[] };
  annotations?: { list?: { name: string; enable?: boolean; iconColor?: string; target?: { rawSql?: string } }[] };
}

/** Widened is the kind of a literal: an option's default says no more than that. */
type Widened<T> = T extends string ? string : T extends boolean ? boolean : T extends number ? number : T;

/** option reads a value deep in options: option(p, "legend.showLegend"). */
export function option<T>(p: { options?: Record<string, unknown> }, path: string, missing: T): Widened<T> {
  let at: unknown = p.options;
  for (const part of path.split(".")) {
    if (typeof at !== "object" || at === null) return missing as Widened<T>;
    at = (at as Record<string, unknown>)[part];
  }
  return (at ?? missing) as Widened<T>;
}

export function custom<T>(f: FieldConfig, path: string, missing: T): Widened<T> {
  return option({ options: f.custom ?? {} }, path, missing);
}

/** field gives the configuration of a column: the defaults with what overrides it. */
export function field(p: Panel, column: { name: string; kind: string }): FieldConfig {
  const out: FieldConfig = structuredClone(p.fieldConfig?.defaults ?? {});
  for (const o of p.fieldConfig?.overrides ?? []) {
    if (!matches(o.matcher, column)) continue;
    for (const { id, value } of o.properties) assign(out as Record<string, unknown>, id.split("."), value);
  }
  return out;
}

function assign(at: Record<string, unknown>, path: string[], value: unknown): void {
  const [first, ...rest] = path;
  if (first === undefined) return;
  if (rest.length === 0) { at[first] = value; return; }
  if (typeof at[first] !== "object" || at[first] === null) at[first] = {};
  assign(at[first] as Record<string, unknown>, rest, value);
}

function matches(m: Override["matcher"], column: { name: string; kind: string }): boolean {
  switch (m.id) {
    case "byName": return m.options === column.name;
    case "byNames": return ((m.options as { names?: string[] })?.names ?? []).includes(column.name);
    case "byType": return m.options === column.kind || (m.options === "string" && column.kind === "text") || (m.options === "time" && column.kind === "date");
    case "byRegexp": {
      const raw = String(m.options);
      const parts = /^\/(.*)\/([a-z]*)$/.exec(raw);
      try { return new RegExp(parts?.[1] ?? `^${raw}$`, parts?.[2] ?? "").test(column.name); } catch { return false; }
    }
    default: return false;
  }
}

/** name is how a column is called on the screen. */
export function display(f: FieldConfig, column: string): string {
  if (f.displayName && !f.displayName.includes("${")) return f.displayName;
  const words = column.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
