// A customer's own story: standing, lots with their end, the balance, and the
// time line with the reason of each thing.

import { Problem, story, type Frame, type Site } from "../api";
import { h, icon, vars, type Child } from "../dom";
import { day, exact, glance, moment } from "../format";
import type { Panel } from "../grafana";
import { go, href, type Route } from "../router";
import { onTheme } from "../theme";
import { wall, zoneName } from "../zone";
import { itemLine, type Item } from "./live";

interface Lot { id: string; time?: string; why?: string; expires_on?: string; earned: number; spent: number; expired: number; reversed: number; left: number }
interface Standing {
  member: boolean; enrolled_time?: string; balance: number; next_expiry_on?: string; next_expiry_points: number; tier?: string; tier_since?: string; tier_review_on?: string;
  tier_spend_minor: number; scores: { r: number; f: number; m: number }; orders: number; net_spend_minor: number; currency?: string; first_order_time?: string; last_order_time?: string;
  segments?: string[]; is_simulated?: boolean;
}
interface Story { customer_id: string; standing: Standing; clock: string; lots: Lot[]; balance: { time: string; points: number }[]; timeline: Item[]; cut?: boolean }

const threeDigits = new Set(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]);
const noDigits = new Set(["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"]);
const firstLots = 8;
const step = 60; // lines of the time line that are added at a time

export function customer(into: HTMLElement, _: Site, r: Route): () => void {
  const life = new AbortController();
  const field = h("input", { type: "search", name: "customer", placeholder: "Customer id", "aria-label": "Customer id", autocomplete: "off", spellcheck: "false", value: r.id, maxlength: 200 });
  const form = h("form", { class: "look-up", role: "search", onSubmit: (e: Event) => { e.preventDefault(); if (field.value.trim()) go(href("customer", field.value.trim())); } }, field, h("button", { type: "submit", class: "primary" }, "Look up"));
  const body = h("div", { class: "story" });
  document.title = `${r.id || "Customers"} · Punchcard`;
  into.replaceChildren(h("header", { class: "board-head" }, h("div", { class: "board-title" }, h("p", { class: "eyebrow" }, "Customer"), h("h1", {}, r.id || "Look up a customer"),
    r.id ? null : h("p", { class: "lead" }, "The whole story of one customer: points and when they end, tier, scores, segments and messages, each with its reason.")), h("div", { class: "board-side" }, form)), body);
  let undo: (() => void) | null = null;
  if (r.id) {
    body.append(h("div", { class: "panel" }, h("div", { class: "panel-body" }, h("div", { class: "skeleton tall", role: "status", "aria-label": "Loading" }))));
    story<Story>(r.id, life.signal).then((s) => { undo = tell(body, s); }, (e: unknown) => {
      if (!life.signal.aborted) body.replaceChildren(trouble(e));
    });
  } else field.focus();
  const off = onTheme(() => undefined);
  return () => { life.abort(); off(); undo?.(); };
}

export function trouble(e: unknown): HTMLElement {
  const p = e instanceof Problem ? e : new Problem(0, "bug", String(e));
  return h("div", { class: "panel" }, h("div", { class: "empty failed", role: "alert" }, h("p", {}, h("strong", {}, `${p.message.charAt(0).toUpperCase()}${p.message.slice(1)}. `), p.hint)));
}

const date = (iso: string | undefined): string => (iso ? day(iso.length === 10 ? Date.parse(iso) : wall(Date.parse(iso))) : "");

function money(minor: number, currency = ""): string {
  const d = noDigits.has(currency) ? 0 : threeDigits.has(currency) ? 3 : 2;
  return exact(minor / 10 ** d, currency ? `currency${currency}` : "none", d);
}

function tell(into: HTMLElement, s: Story): () => void {
  const st = s.standing, { r, f, m } = st.scores;
  const facts: [string, string, Child][] = [
    ["Points", glance(st.balance, "none"), st.next_expiry_points ? `${glance(st.next_expiry_points, "none")} end on ${date(st.next_expiry_on)}` : st.balance < 0 ? "a debt that new points fill" : "none end soon"],
    ["Tier", st.tier ? st.tier.charAt(0).toUpperCase() + st.tier.slice(1) : st.member ? "None yet" : "No member", st.tier_review_on ? `reviewed on ${date(st.tier_review_on)}` : st.enrolled_time ? `member since ${date(st.enrolled_time)}` : ""],
    ["Net spend", money(st.net_spend_minor, st.currency), `${glance(st.orders, "none")} order${st.orders === 1 ? "" : "s"}${st.orders ? `, ${money(Math.round(st.net_spend_minor / st.orders), st.currency)} each` : ""}`],
    ["Last order", date(st.last_order_time) || "–", st.first_order_time ? `first on ${date(st.first_order_time)}` : ""],
  ];
  const rfm = h("div", { class: "rfm" }, ...([["R", r, "how recent"], ["F", f, "how often"], ["M", m, "how much"]] as const).map(([l, v, what]) =>
    h("div", { class: "rfm-one", title: `${l} ${v || "–"} of 5: ${what}` }, h("b", {}, l), h("span", { class: "dots", role: "img", "aria-label": `${v || "no"} of 5` }, ...[1, 2, 3, 4, 5].map((n) => h("i", { class: n <= v ? "on" : "" }))), h("span", { class: "faint" }, what))));
  const chips = st.segments?.length ? st.segments.map((x) => h("span", { class: "chip still" }, x)) : [h("span", { class: "faint" }, "In no segment")];
  const chart = h("div", { class: "panel-body balance" });
  const left = h("div", { class: "story-side" },
    h("section", { class: "panel" }, h("header", { class: "panel-head" }, h("h2", {}, "Scores and segments")), rfm, h("div", { class: "chips wrap" }, ...chips)),
    s.balance.length > 1 ? h("section", { class: "panel" }, h("header", { class: "panel-head" }, h("h2", {}, "Balance of points")), chart) : null,
    h("section", { class: "panel" }, h("header", { class: "panel-head" }, h("h2", {}, "Lots of points")), lots(s)));
  into.replaceChildren(h("div", { class: "facts" }, ...facts.map(([name, value, note]) => h("section", { class: "panel fact", "aria-label": name }, h("span", { class: "stat-name" }, name), h("span", { class: /^[A-Z]/.test(value) && !/\d/.test(value) ? "stat-value words" : "stat-value" }, value), h("span", { class: "stat-change" }, note)))),
    h("p", { class: "as-of" }, `as of ${s.clock ? moment(wall(Date.parse(s.clock))) : "–"} · ${zoneName()}`, st.is_simulated && h("span", { class: "badge" }, "simulated")),
    h("div", { class: "story-columns" }, left, timeline(s)));
  return balance(chart, s);
}

function lots(s: Story): HTMLElement {
  if (s.lots.length === 0) return h("p", { class: "faint pad" }, "No points yet.");
  const most = Math.max(...s.lots.map((l) => l.earned), 1);
  const line = (l: Lot): HTMLElement => h("li", { class: l.left ? "lot" : "lot done" },
    h("div", { class: "lot-head" }, h("b", {}, l.left ? `${glance(l.left, "none")} left` : "Used up"), h("span", { class: "faint" }, l.left === 0 ? "" : l.expires_on ? `until ${date(l.expires_on)}` : l.id === "debt" ? "a debt" : "for ever")),
    vars(h("span", { class: "lot-bar", "aria-hidden": "true" }, ...(["left", "spent", "expired", "reversed"] as const).map((k) => vars(h("i", { class: k }), { share: Math.max(0, l[k]) / most }))), { share: l.earned / most }),
    h("p", { class: "item-why" }, [`${glance(l.earned, "none")} earned${l.time ? ` on ${date(l.time)}` : ""}`, l.why, l.spent && `${glance(l.spent, "none")} spent`, l.expired && `${glance(l.expired, "none")} expired`, l.reversed && `${glance(l.reversed, "none")} taken back`].filter(Boolean).join(" · ")));
  const open = s.lots.filter((l) => l.left !== 0), done = s.lots.filter((l) => l.left === 0);
  return h("div", {}, h("ul", { class: "lots" }, ...open.slice(0, firstLots).map(line)),
    open.length > firstLots ? h("details", { class: "pad" }, h("summary", {}, `${open.length - firstLots} more that end later`), h("ul", { class: "lots" }, ...open.slice(firstLots).map(line))) : null,
    done.length ? h("details", { class: "pad" }, h("summary", {}, `${done.length} used up`), h("ul", { class: "lots" }, ...done.map(line))) : null);
}

function timeline(s: Story): HTMLElement {
  const list = h("ol", { class: "feed line" });
  let shown = 0;
  const more = h("button", { type: "button", class: "quiet more", onClick: () => add() });
  const add = (): void => {
    list.append(...s.timeline.slice(shown, shown + step).map((i) => itemLine(i, false)));
    shown = Math.min(shown + step, s.timeline.length);
    more.hidden = shown >= s.timeline.length;
    more.textContent = `Show ${Math.min(step, s.timeline.length - shown)} more of ${s.timeline.length - shown}`;
  };
  add();
  return h("section", { class: "panel" }, h("header", { class: "panel-head" }, h("h2", {}, "What happened, and why")), list, more,
    s.cut ? h("p", { class: "cut" }, "Older entries are not shown here; the ledger has them all.") : null, s.timeline.length === 0 ? h("div", { class: "empty" }, h("p", {}, icon("clock"), "Nothing yet.")) : null);
}

function balance(into: HTMLElement, s: Story): () => void {
  if (s.balance.length < 2) return () => undefined;
  const rows = s.balance.map((b) => [Date.parse(b.time), b.points]);
  const frame: Frame = { columns: [{ name: "time", type: "DateTime64(3)", kind: "time" }, { name: "points", type: "Int64", kind: "number" }], rows, from: 0, to: 0, interval_s: 0, took_ms: 0 };
  const panel: Panel = { id: 0, type: "timeseries", title: "Balance of points", gridPos: { x: 0, y: 0, w: 24, h: 8 }, fieldConfig: { defaults: { custom: { lineInterpolation: "stepAfter", fillOpacity: 12 } } } };
  let undo: (() => void) | null = null;
  const draw = async (): Promise<void> => {
    const { timeseries } = await import("../panels/timeseries");
    undo?.();
    into.replaceChildren();
    if (into.isConnected) undo = timeseries(panel, frame, into, []);
  };
  void draw();
  const off = onTheme(() => void draw());
  return () => { off(); undo?.(); };
}
