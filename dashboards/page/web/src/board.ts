// A dashboard: its head, its controls and its panels on a grid of 24 columns.

import { dashboard, query, type Question, type Site } from "./api";
import { pickers, rangePicker, type Choice } from "./controls";
import { h, icon } from "./dom";
import { moment } from "./format";
import type { Dashboard, Panel } from "./grafana";
import { Card } from "./panel";
import { replaceParams, type Route } from "./router";
import { onTheme } from "./theme";
import { wall, zoneName } from "./zone";

export interface Note { time: number; text: string; color: string }

const loaded = new Map<string, Dashboard>();
const slowest = 10_000; // ms between refreshes, at least

/** board draws a dashboard; what it returns ends it. */
export async function board(into: HTMLElement, site: Site, r: Route, carry: Choice | null): Promise<{ end: () => void; choice: Choice; refresh: () => void }> {
  const uid = r.id;
  const d = loaded.get(uid) ?? await dashboard<Dashboard>(uid);
  loaded.set(uid, d);
  document.title = `${d.title} · Punchcard`;
  const choice = choose(d, r, carry);
  const life = new AbortController();
  let notes: Note[] = [];
  const controls = pickers(d, choice, () => changed());
  const values = (): Record<string, string[]> => Object.fromEntries(controls.map((c) => [c.v.name, c.values()]));
  const realOnly = (): boolean => /real/.test((choice.vars["simulated"] ?? []).join()) && !(choice.vars["simulated"] ?? []).includes("all");
  const cards = flat(d.panels).filter((p) => p.type !== "row").map((p) => new Card(p, () => notes, realOnly));
  const ask = (): Omit<Question, "panel"> => ({ uid, from: choice.from, to: choice.to, vars: values() });
  const refreshButton = h("button", { type: "button", class: "tool boxed", "aria-label": "Ask again", title: "Ask again (r)", onClick: () => refresh() }, icon("refresh"));
  const asOf = h("p", { class: "as-of" }, `as of ${moment(wall(Date.parse(site.now)))} · ${zoneName()}`);
  const head = h("header", { class: "board-head" }, h("div", { class: "board-title" }, h("h1", {}, d.title), d.description ? h("p", { class: "lead" }, d.description) : null, asOf),
    h("div", { class: "board-side" }, h("div", { class: "controls", role: "toolbar", "aria-label": "What is shown" }, rangePicker(choice, () => changed()), ...controls.map((c) => c.el), refreshButton)));
  cards.forEach((c) => c.el.style.setProperty("--m", String(middle(c.panel, cards.map((o) => o.panel)))));
  const rows = d.panels.filter((p) => p.type === "row").map(rowHead);
  const grid = h("div", { class: "grid" }, ...[...rows, ...cards.map((c) => ({ y: c.panel.gridPos.y, x: c.panel.gridPos.x, el: c.el }))].sort((a, b) => a.y - b.y || a.x - b.x).map((c) => c.el));
  into.replaceChildren(head, grid);

  async function refresh(): Promise<void> {
    refreshButton.classList.add("turning");
    const annotations = readNotes(d, ask(), life.signal).then((list) => {
      const differs = JSON.stringify(list) !== JSON.stringify(notes);
      notes = list;
      return differs;
    });
    await Promise.all(cards.map((c) => c.load(ask(), life.signal)));
    if (await annotations && !life.signal.aborted) cards.filter((c) => c.panel.type === "timeseries").forEach((c) => c.redraw());
    refreshButton.classList.remove("turning");
    if (!life.signal.aborted) into.dataset["settled"] = uid;
  }
  function changed(): void {
    replaceParams(params(choice));
    void refresh();
  }

  void Promise.all(controls.map((c) => c.load(uid, life.signal))).then(() => { if (!life.signal.aborted) return refresh(); return undefined; });
  const off = onTheme(() => cards.forEach((c) => c.redraw()));
  const timer = repeat(d.refresh, () => { if (!document.hidden) void refresh(); });
  return {
    choice, refresh: () => void refresh(),
    end: () => { life.abort(); off(); clearInterval(timer); cards.forEach((c) => c.dispose()); delete into.dataset["settled"]; },
  };
}

/** choose takes the range and the variables from the address, else from the dashboard before, else from the JSON. */
function choose(d: Dashboard, r: Route, carry: Choice | null): Choice {
  const names = new Set((d.templating?.list ?? []).map((v) => v.name));
  const vars: Record<string, string[]> = {};
  for (const [name, list] of Object.entries(carry?.vars ?? {})) if (names.has(name)) vars[name] = list;
  for (const name of new Set(r.params.keys())) if (names.has(name)) vars[name] = r.params.getAll(name);
  return { from: r.params.get("from") ?? d.time?.from ?? "now-90d", to: r.params.get("to") ?? d.time?.to ?? "now", vars };
}

export function params(c: Choice): URLSearchParams {
  const p = new URLSearchParams({ from: c.from, to: c.to });
  for (const [name, list] of Object.entries(c.vars)) list.forEach((v) => p.append(name, v));
  return p;
}

/** middle is how many of 12 columns a panel takes on a window of middle width: its share of its row, unless the row is of small ones. */
function middle(p: Panel, all: Panel[]): number {
  const row = all.filter((o) => o.gridPos.y === p.gridPos.y), n = row.length;
  if (p.gridPos.w >= 24 || n === 1) return 12;
  if (row.every((o) => o.gridPos.w <= 6)) return n === 4 ? 3 : n % 3 === 0 ? 4 : n === 2 ? 6 : n > 4 ? 3 : 12 / n;
  return row.every((o) => o.gridPos.w >= 8) ? Math.round(p.gridPos.w / 2) : p.gridPos.w >= 12 ? 12 : 6;
}

const flat = (list: Panel[]): Panel[] => list.flatMap((p) => [p, ...(p.panels ?? [])]);

function rowHead(p: Panel): { x: number; y: number; el: HTMLElement } {
  const el = h("h2", { class: "row-head" }, p.title ?? "");
  el.style.setProperty("--y", String(p.gridPos.y + 1));
  return { x: 0, y: p.gridPos.y, el };
}

function repeat(every: string | undefined, fn: () => void): number | undefined {
  const m = /^(\d+)(s|m|h)$/.exec(every ?? "");
  if (!m) return undefined;
  const ms = Number(m[1]) * { s: 1000, m: 60_000, h: 3_600_000 }[m[2] as "s" | "m" | "h"];
  return window.setInterval(fn, Math.max(slowest, ms));
}

async function readNotes(d: Dashboard, q: Omit<Question, "panel">, signal: AbortSignal): Promise<Note[]> {
  const lists = await Promise.all((d.annotations?.list ?? []).filter((a) => a.enable !== false && a.target?.rawSql).map(async (a) => {
    const f = await query({ ...q, annotation: a.name }, signal).catch(() => null); // a chart without notes is still a chart
    const time = f?.columns.findIndex((c) => c.kind === "time" || c.kind === "date") ?? -1;
    if (!f || time < 0) return [];
    const said = f.columns.findIndex((c) => /^(text|title)$/.test(c.name));
    const isDay = f.columns[time]!.kind === "date";
    return f.rows.slice(0, 100).map((row) => ({ time: isDay ? Date.parse(String(row[time])) : Number(row[time]), text: String(row[said >= 0 ? said : 1] ?? a.name), color: a.iconColor ?? "purple" }));
  }));
  return lists.flat();
}
