// What is chosen above a dashboard: the range of time and the variables.

import { query } from "./api";
import { h, icon } from "./dom";
import type { Dashboard, Variable } from "./grafana";
import { place } from "./panel";

export interface Choice { from: string; to: string; vars: Record<string, string[]> }

const all = "$__all";

const ranges: [string, string][] = [
  ["now-24h", "Last 24 hours"], ["now-7d", "Last 7 days"], ["now-30d", "Last 30 days"], ["now-90d", "Last 90 days"],
  ["now-6M", "Last 6 months"], ["now-1y", "Last 12 months"], ["now-2y", "Last 2 years"], ["now-5y", "Last 5 years"],
];

/** rangeName says a range as people do. */
export function rangeName(from: string, to: string): string {
  const known = ranges.find(([f]) => f === from && to === "now");
  if (known) return known[1];
  const m = /^now-(\d+)([hdwMy])$/.exec(from);
  const words: Record<string, string> = { h: "hours", d: "days", w: "weeks", M: "months", y: "years" };
  if (m && to === "now") return `Last ${m[1]} ${words[m[2]!]}`;
  return `${from.slice(0, 10)} – ${to === "now" ? "now" : to.slice(0, 10)}`;
}

export function rangePicker(c: Choice, changed: () => void): HTMLElement {
  const label = h("span", {}, rangeName(c.from, c.to));
  const from = h("input", { type: "date", "aria-label": "From" }), to = h("input", { type: "date", "aria-label": "To" });
  const list = h("div", { class: "choices", role: "group", "aria-label": "Range of time" });
  const pick = (f: string, t: string): void => {
    c.from = f; c.to = t;
    label.textContent = rangeName(f, t);
    mark();
    pop.hidePopover();
    changed();
  };
  const mark = (): void => list.querySelectorAll("button").forEach((b) => b.setAttribute("aria-pressed", String(b.value === c.from && c.to === "now")));
  list.append(...ranges.map(([f, name]) => h("button", { type: "button", value: f, class: "choice", onClick: () => pick(f, "now") }, name)));
  const form = h("form", { class: "own-range", onSubmit: (e: Event) => {
    e.preventDefault();
    if (from.value && to.value && from.value <= to.value) pick(`${from.value}T00:00:00Z`, `${to.value}T23:59:59Z`);
  } }, from, h("span", { "aria-hidden": "true" }, "–"), to, h("button", { type: "submit", class: "quiet" }, "Apply"));
  const { button, pop } = drop("range", [icon("clock"), label], [list, form], "Range of time");
  mark();
  return h("div", { class: "control" }, button, pop);
}

let drops = 0;

function drop(name: string, face: (Node | string)[], content: Node[], label: string): { button: HTMLButtonElement; pop: HTMLElement } {
  const id = `drop-${name}-${++drops}`;
  const pop = h("div", { class: "popover drop", id, popover: "auto", role: "dialog", "aria-label": label }, ...content);
  const button = h("button", { type: "button", class: "field", popovertarget: id, "aria-label": label }, ...face, icon("down"));
  pop.addEventListener("toggle", () => place(pop, button));
  return { button, pop };
}

interface Option { text: string; value: string }

/** Picker is the control of one variable. */
export class Picker {
  readonly el = h("div", { class: "control" });
  options: Option[] = [];

  constructor(readonly v: Variable, private readonly choice: Choice, private readonly changed: () => void) {}

  /** load asks for the options of a query and settles what is chosen. */
  async load(uid: string, signal: AbortSignal): Promise<void> {
    this.options = (this.v.options ?? []).filter((o) => o.value !== all).map((o) => ({ text: o.text, value: o.value }));
    if (this.v.type === "custom" && this.options.length === 0) this.options = String(this.v.query ?? "").split(",").map(parseOption).filter((o) => o.value);
    if (this.v.type === "query") {
      const f = await query({ uid, variable: this.v.name, from: this.choice.from, to: this.choice.to, vars: {} }, signal).catch(() => null);
      this.options = (f?.rows ?? []).map((r) => ({ value: String(r[0] ?? ""), text: String(r[1] ?? r[0] ?? "") || "(none)" }));
    }
    const chosen = this.choice.vars[this.v.name] ?? this.initial();
    this.choice.vars[this.v.name] = chosen;
    if (this.v.type !== "constant" && this.v.hide !== 2) this.draw();
  }

  /** values are what the server is told; it knows what All means. */
  values(): string[] { return this.choice.vars[this.v.name] ?? []; }

  private initial(): string[] {
    const now = this.v.current?.value;
    const list = (Array.isArray(now) ? now : now ? [now] : []).map((x) => (x === "All" ? all : x));
    const real = list.filter((x) => x === all || this.v.type === "constant" || this.options.some((o) => o.value === x));
    if (real.length) return real;
    if (this.v.includeAll) return [all];
    if (this.v.type === "constant" || this.v.type === "textbox") return [String(this.v.query ?? "")];
    return this.options[0] ? [this.options[0].value] : [];
  }

  private draw(): void {
    const label = this.v.label || this.v.name.replaceAll("_", " ");
    if (this.v.type === "textbox") { this.el.replaceChildren(this.box(label)); return; }
    const face = h("span", { class: "field-value" });
    const say = (): void => { face.textContent = this.said(); };
    const kind = this.v.multi ? "checkbox" : "radio";
    const boxes = (this.v.includeAll ? [{ text: "All", value: all }, ...this.options] : this.options).map((o) => {
      const box = h("input", { type: kind, name: `var-${this.v.name}`, value: o.value });
      box.addEventListener("change", () => { this.take(o.value, box.checked); check(); say(); this.changed(); if (!this.v.multi) pop.hidePopover(); });
      return { box, row: h("label", { class: "choice" }, box, h("span", {}, o.text)) };
    });
    const check = (): void => boxes.forEach(({ box }) => { box.checked = this.choice.vars[this.v.name]!.includes(box.value); });
    const list = h("div", { class: "choices tall", role: "group", "aria-label": label }, ...(boxes.length ? boxes.map((b) => b.row) : [h("p", { class: "faint" }, "Nothing to choose yet.")]));
    const { button, pop } = drop(this.v.name, [h("span", { class: "field-label" }, label), face], [list], label);
    say();
    check();
    this.el.replaceChildren(button, pop);
  }

  private box(label: string): HTMLElement {
    const input = h("input", { type: "search", class: "field-input", placeholder: label, "aria-label": label, maxlength: 200, value: this.choice.vars[this.v.name]?.[0] ?? "", spellcheck: "false", autocomplete: "off" });
    input.addEventListener("change", () => { this.choice.vars[this.v.name] = [input.value.trim()]; this.changed(); });
    return input;
  }

  private take(value: string, on: boolean): void {
    const now = this.choice.vars[this.v.name]!;
    let next = !this.v.multi || value === all ? [value] : on ? [...now.filter((x) => x !== all), value] : now.filter((x) => x !== value && x !== all);
    if (next.length === 0) next = this.v.includeAll ? [all] : now;
    this.choice.vars[this.v.name] = next;
  }

  private said(): string {
    const chosen = this.choice.vars[this.v.name]!;
    if (chosen.includes(all)) return "All";
    const names = chosen.map((c) => this.options.find((o) => o.value === c)?.text ?? c);
    return names.length <= 2 ? names.join(", ") || "–" : `${names.length} chosen`;
  }
}

function parseOption(raw: string): Option {
  const [text = "", value = text] = raw.trim().split(/\s+:\s+/);
  return { text: text.trim(), value: value.trim() };
}

/** pickers makes a control for each variable of a dashboard that is chosen by people. */
export function pickers(d: Dashboard, c: Choice, changed: () => void): Picker[] {
  return (d.templating?.list ?? []).filter((v) => ["query", "custom", "constant", "textbox", "interval"].includes(v.type)).map((v) => new Picker(v, c, changed));
}
