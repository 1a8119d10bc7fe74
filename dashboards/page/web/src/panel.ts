// A panel: a card with a title, what it means, and one of the states loading,
// drawn, nothing there, failed.

import { query, Problem, type Frame, type Question } from "./api";
import type { Note } from "./board";
import { clear, h, icon, vars } from "./dom";
import { glance } from "./format";
import type { Panel } from "./grafana";
import { bargauge } from "./panels/bargauge";
import { heatmap } from "./panels/heatmap";
import { stat } from "./panels/stat";
import { table } from "./panels/table";
import { markdown, textPanel } from "./panels/text";

const kinds = new Set(["timeseries", "barchart", "stat", "table", "heatmap", "bargauge"]);
const says = /simulated/i;
const saysNot = /\b(not|never|no|without|excludes?|excluding|only real|real only|leaves? out)\b[^.]*simulated|simulated[^.]*\b(left out|excluded|not counted)\b/i;

export class Card {
  readonly el: HTMLElement;
  private readonly body = h("div", { class: "panel-body" });
  private readonly badge = h("span", { class: "badge", title: "Holds, or may hold, simulated data", hidden: true }, h("span", { class: "long" }, "simulated"), h("span", { class: "short", "aria-hidden": "true" }, "sim"));
  private readonly toggle: HTMLButtonElement | null = null;
  private frame: Frame | null = null;
  private asTable = false;
  private undo: (() => void) | null = null;
  private run = 0;

  constructor(readonly panel: Panel, private readonly noteTexts: () => Note[], private readonly realOnly: () => boolean) {
    const id = `panel-${panel.id}`, { x, y, w, h: rows } = panel.gridPos;
    const tools = h("div", { class: "tools" });
    if (["timeseries", "barchart", "heatmap", "bargauge"].includes(panel.type)) {
      this.toggle = h("button", { type: "button", class: "tool", "aria-pressed": "false", "aria-label": `Show ${panel.title ?? "panel"} as a table`, title: "As a table", onClick: () => this.flip() }, icon("table"));
      tools.append(this.toggle);
    }
    if (panel.description || panel.targets?.[0]?.rawSql) tools.append(about(panel));
    const head = panel.title ? h("header", { class: "panel-head" }, h("h2", { id: `${id}-title` }, panel.title), this.badge, tools) : null;
    this.el = vars(h("section", { class: `panel kind-${panel.type}`, id, "aria-labelledby": panel.title ? `${id}-title` : null, "data-state": "loading" }, head, this.body), { x: x + 1, y: y + 1, w, h: rows });
    this.el.dataset["size"] = w <= 6 ? "small" : w <= 12 ? "half" : "wide";
    if (says.test(panel.description ?? "") && !saysNot.test(panel.description ?? "")) this.badge.dataset["by"] = "description";
  }

  /** load asks and draws; what was drawn stays until the answer is there. */
  async load(q: Omit<Question, "panel">, signal: AbortSignal): Promise<void> {
    if (this.panel.type === "text") { this.settle("data"); this.redraw(); return; }
    if (!this.panel.targets?.[0]?.rawSql) { this.settle("empty", "This panel asks nothing."); return; }
    const run = ++this.run;
    if (!this.frame) this.settle("loading"); else this.el.setAttribute("aria-busy", "true");
    try {
      const frame = await query({ ...q, panel: this.panel.id }, signal);
      if (run !== this.run) return;
      this.frame = frame;
      this.redraw();
    } catch (e) {
      if (signal.aborted || run !== this.run) return;
      this.frame = null;
      this.settle("error", e instanceof Problem ? e : new Problem(0, "bug", String(e)), () => void this.load(q, signal));
    } finally {
      this.el.removeAttribute("aria-busy");
    }
  }

  /** redraw draws what is known once more, after a switch of theme or notes. */
  redraw(): void {
    if (this.panel.type === "text") { this.fresh(); textPanel(this.panel, this.body); return; }
    const f = this.frame;
    if (!f) return;
    if (nothing(this.panel, f)) {
      this.settle("empty", this.panel.fieldConfig?.defaults?.noValue ?? "Nothing in this range.");
      return;
    }
    this.settle("data");
    this.mark(f);
    if (this.asTable || this.panel.type === "table" || !kinds.has(this.panel.type)) table(this.panel, f, this.body);
    else if (this.panel.type === "stat") stat(this.panel, f, this.body);
    else if (this.panel.type === "bargauge") bargauge(this.panel, f, this.body);
    else if (this.panel.type === "heatmap") heatmap(this.panel, f, this.body);
    else void this.chart(f);
    if (f.truncated) this.body.append(h("p", { class: "cut" }, `The first ${glance(f.rows.length)} rows; there are more.`));
  }

  dispose(): void { this.undo?.(); this.undo = null; this.run++; }

  private async chart(f: Frame): Promise<void> {
    const body = this.body;
    this.el.setAttribute("aria-busy", "true");
    const [{ timeseries }, { barchart }] = await Promise.all([import("./panels/timeseries"), import("./panels/barchart")]);
    this.el.removeAttribute("aria-busy");
    if (this.frame !== f || this.asTable || !body.isConnected) return;
    this.fresh();
    const undo = this.panel.type === "timeseries" ? timeseries(this.panel, f, body, this.noteTexts()) : barchart(this.panel, f, body);
    if (undo) this.undo = undo; else table(this.panel, f, body);
  }

  private mark(f: Frame): void {
    const at = f.columns.findIndex((c) => /^(is_)?simulated$/.test(c.name));
    const inResult = at >= 0 && f.rows.some((r) => Boolean(r[at]) && r[at] !== "0");
    this.badge.hidden = !(inResult || (at < 0 && this.badge.dataset["by"] === "description")) || this.realOnly();
  }

  private flip(): void {
    this.asTable = !this.asTable;
    this.toggle!.setAttribute("aria-pressed", String(this.asTable));
    this.redraw();
  }

  private fresh(): void {
    this.undo?.();
    this.undo = null;
    clear(this.body);
    this.body.className = "panel-body";
    this.body.removeAttribute("tabindex");
  }

  private settle(state: "loading" | "data" | "empty" | "error", what?: string | Problem, again?: () => void): void {
    this.el.dataset["state"] = state;
    this.fresh();
    if (state === "loading") this.body.append(h("div", { class: "skeleton", role: "status", "aria-label": "Loading" }));
    if (state === "empty") this.body.append(h("div", { class: "empty" }, h("p", {}, String(what))));
    if (state === "error" && what instanceof Problem) {
      this.body.append(h("div", { class: "empty failed", role: "alert" }, h("p", { title: `${what.message} – ${what.hint}` }, h("strong", {}, "Could not be drawn. "), what.message, what.hint ? ` – ${what.hint}` : ""),
        h("button", { type: "button", class: "quiet", onClick: () => again?.() }, icon("refresh"), "Try again")));
    }
  }
}

/** nothing is an answer without rows, or without a single number where there should be one. */
function nothing(p: Panel, f: Frame): boolean {
  const numbers = f.columns.flatMap((c, i) => (c.kind === "number" ? [i] : []));
  const asked = p.type === "stat" && numbers.length > 0 ? numbers : f.columns.map((_, i) => i);
  return f.rows.every((r) => asked.every((i) => r[i] === null));
}

let popovers = 0;

/** about shows what a panel means: its description and its SQL. */
function about(p: Panel): HTMLElement {
  const sql = p.targets?.[0]?.rawSql;
  const id = `about-${++popovers}`;
  const pop = h("div", { class: "popover about", id, popover: "auto", role: "dialog", "aria-label": `About ${p.title ?? "this panel"}` },
    h("h3", {}, p.title ?? ""), h("div", { class: "prose" }, ...markdown(p.description ?? "")),
    sql && h("details", {}, h("summary", {}, "The SQL"), h("pre", {}, h("code", {}, sql.trim()))));
  const button = h("button", { type: "button", class: "tool", popovertarget: id, "aria-label": `About ${p.title ?? "this panel"}`, title: "What this means" }, icon("info"));
  pop.addEventListener("toggle", () => place(pop, button));
  return h("span", { class: "about-wrap" }, button, pop);
}

/** place puts a popover below its button and inside the window. */
export function place(pop: HTMLElement, button: HTMLElement): void {
  const b = button.getBoundingClientRect(), width = pop.offsetWidth, height = pop.offsetHeight;
  const left = Math.max(12, Math.min(innerWidth - width - 12, b.right - width));
  const below = b.bottom + 6 + height <= innerHeight - 8;
  vars(pop, { left: `${left}px`, top: `${below ? b.bottom + 6 : Math.max(8, b.top - 6 - height)}px` });
}
