// A heat map as a table of coloured cells: cohorts down, ages across. Cells
// without a value have not happened yet and stay empty.

import type { Cell, Frame } from "../api";
import { h, vars } from "../dom";
import { day, glance, moment, month } from "../format";
import { fields, isTime, ms, num, name, numeric, plainNumbers, shown, type Field } from "../frame";
import type { Panel } from "../grafana";
import { ink, readable, shade } from "../theme";

const mostRows = 120, mostColumns = 120;

interface Grid { corner: string; rows: string[]; columns: string[]; cells: (number | null)[][]; value: Field }

export function heatmap(p: Panel, f: Frame, into: HTMLElement): void {
  const g = read(p, f);
  if (!g) { into.append(h("p", { class: "faint" }, "The answer has no rows and columns to draw.")); return; }
  // A column that says 100 % in each row tells nothing and would leave the others one shade.
  const still = g.columns.map((_, j) => g.columns.length > 2 && g.rows.length > 2 && g.cells.every((r) => (r[j] ?? 1) === 1));
  const known = g.cells.flatMap((r) => r.filter((v, j): v is number => v !== null && !still[j]));
  const low = Math.min(0, ...known), high = Math.max(...known, low + Number.EPSILON);
  const dense = g.columns.length > 14;
  const unit = g.value.config.unit, decimals = dense ? 0 : g.value.config.decimals;
  into.className += dense ? " scroll heat dense" : " scroll heat";
  into.tabIndex = 0;
  const head = h("tr", {}, h("th", { scope: "col", class: "corner" }, g.corner), ...plainNumbers(g.columns).map((c) => h("th", { scope: "col" }, c)));
  const body = g.rows.map((title, i) => h("tr", {}, h("th", { scope: "row" }, title), ...g.columns.map((column, j) => {
    const v = g.cells[i]![j] ?? null;
    if (v === null) return h("td", { class: "none", title: `${title}, ${column}: no value` });
    const ground = still[j] ? ink("grid") : shade((v - low) / (high - low));
    const said = glance(v, unit, decimals);
    return vars(h("td", { title: `${title}, ${column}: ${glance(v, unit)}` }, dense ? said.replace(/[\u202f\u00a0]%$/, "") : said), { ground, "on-ground": readable(ground) });
  })));
  into.append(h("table", {}, h("caption", { class: "sr" }, p.title ?? "Heat map"), h("thead", {}, head), h("tbody", {}, ...body)));
}

/** read takes the three forms of a heat map: row, column, value; or a column of numbers for each column. */
function read(p: Panel, f: Frame): Grid | null {
  const all = shown(fields(p, f)), numbers = numeric(all);
  const row = all.find((c) => isTime(c.column)) ?? all.find((c) => c.column.kind === "text") ?? all[0];
  if (!row) return null;
  const rest = all.filter((c) => c !== row);
  const label = rest.find((c) => c.column.kind === "text" || isTime(c.column)) ?? (rest.length === 2 && isStep(f.rows, rest[0]!) ? rest[0] : undefined);
  const rowOf = rowName(f.rows, row);
  if (label || rest.length === 2) {
    const column = label ?? rest[0]!, value = numbers.find((n) => n !== row && n !== column);
    if (!value) return null;
    return pivot(f, row, column, value, rowOf);
  }
  const values = numbers.filter((n) => n !== row);
  if (values.length === 0) return null;
  return {
    corner: row.label, rows: f.rows.slice(0, mostRows).map((r) => rowOf(r[row.index])), columns: values.slice(0, mostColumns).map((v) => v.label),
    cells: f.rows.slice(0, mostRows).map((r) => values.map((v) => num(r[v.index]))), value: values[0]!,
  };
}

const isStep = (rows: Cell[][], c: Field): boolean => rows.every((r) => Number.isInteger(num(r[c.index]) ?? 0));

function pivot(f: Frame, row: Field, column: Field, value: Field, rowOf: (c: Cell | undefined) => string): Grid {
  const rows = new Map<string, number>(), columns = new Map<string, number>();
  const cells: (number | null)[][] = [];
  const columnName = isTime(column.column) ? rowName(f.rows, column) : (c: Cell | undefined): string => name(c, column);
  const sorted = column.column.kind === "number" ? [...f.rows].sort((a, b) => (num(a[column.index]) ?? 0) - (num(b[column.index]) ?? 0)) : f.rows;
  for (const r of sorted) if (columns.size < mostColumns) take(columns, columnName(r[column.index]));
  for (const r of f.rows) {
    const key = rowOf(r[row.index]);
    if (!rows.has(key) && rows.size === mostRows) continue;
    const i = take(rows, key), j = columns.get(columnName(r[column.index]));
    if (j !== undefined) (cells[i] ??= Array<number | null>(columns.size).fill(null))[j] = num(r[value.index]);
  }
  return { corner: row.label, rows: [...rows.keys()], columns: [...columns.keys()], cells, value };
}

function take(m: Map<string, number>, key: string): number {
  const i = m.get(key) ?? m.size;
  m.set(key, i);
  return i;
}

/** rowName writes times by what they are: months, days or moments. */
function rowName(rows: Cell[][], c: Field): (cell: Cell | undefined) => string {
  if (!isTime(c.column)) return (cell) => name(cell, c);
  const times = rows.map((r) => ms(r[c.index], c.column.kind)).filter((t): t is number => t !== null);
  const form = times.every((t) => new Date(t).getUTCDate() === 1 && t % 86_400_000 === 0) ? month : times.every((t) => t % 86_400_000 === 0) ? day : moment;
  return (cell) => { const t = ms(cell, c.column.kind); return t === null ? "–" : form(t); };
}
