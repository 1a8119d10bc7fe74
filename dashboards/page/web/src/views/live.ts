// The live feed: what happens now, newest on top, bounded, and it can be held.

import { feed, Problem } from "../api";
import { h, icon } from "../dom";
import { clock, day } from "../format";
import { wall } from "../zone";

export interface Part { kind: string; text: string; why?: string; points?: number }
export interface Item { id: string; time: string; kind: string; customer_id: string; title: string; why?: string; parts?: Part[]; simulated?: boolean; history?: boolean }

const most = 200; // lines on the screen
const waits = [1000, 2000, 5000, 10_000];

const groups: [string, string, (k: string) => boolean][] = [
  ["all", "Everything", () => true],
  ["orders", "Orders", (k) => k === "order" || k === "refund"],
  ["points", "Points", (k) => k === "redemption" || k === "time"],
  ["messages", "Messages", (k) => k === "message" || k === "held"],
  ["voice", "Surveys", (k) => k === "survey"],
];

export function live(into: HTMLElement): () => void {
  document.title = "Live · Punchcard";
  const life = new AbortController();
  let held = false, left = 0, group = "all", waiting: Item[] = [];
  const list = h("ol", { class: "feed", "aria-live": "off" });
  const status = h("p", { class: "status", role: "status" }, "Connecting …");
  const hold = h("button", { type: "button", class: "field" });
  const sayHold = (): void => hold.replaceChildren(icon(held ? "play" : "pause"), held ? `Go on${waiting.length ? ` (${waiting.length} waiting)` : ""}` : "Hold");
  hold.addEventListener("click", () => { held = !held; if (!held) { add(waiting); waiting = []; } sayHold(); });
  const chips = groups.map(([id, name]) => h("button", { type: "button", class: "chip", value: id, "aria-pressed": String(id === group), onClick: () => { group = id; filter(); } }, name));
  sayHold();
  into.replaceChildren(
    h("header", { class: "board-head" }, h("div", { class: "board-title" }, h("h1", {}, "Live"), h("p", { class: "lead" }, "Every entry of the ledger and every message as it is decided, with the reason.")),
      h("div", { class: "board-side" }, h("div", { class: "controls" }, h("div", { class: "chips", role: "group", "aria-label": "What is shown" }, ...chips), hold), status)),
    h("section", { class: "panel feed-panel", "aria-label": "Live feed" }, list, h("p", { class: "empty-feed" }, "Nothing has happened yet. New entries appear here by themselves.")));

  function filter(): void {
    chips.forEach((c) => c.setAttribute("aria-pressed", String(c.value === group)));
    const fits = groups.find(([id]) => id === group)![2];
    for (const li of list.children) (li as HTMLElement).hidden = !fits((li as HTMLElement).dataset["kind"] ?? "");
  }
  function add(items: Item[]): void {
    const known = new Set([...list.children].slice(0, most).map((li) => (li as HTMLElement).dataset["id"]));
    list.prepend(...items.filter((i) => !known.has(i.id)).reverse().map((i) => itemLine(i, true)));
    while (list.children.length > most) list.lastElementChild!.remove();
    filter();
  }
  let batch: Item[] = [];
  const flush = (): void => {
    if (batch.length === 0) return;
    if (held) { waiting = [...waiting, ...batch].slice(-most); sayHold(); } else add(batch);
    batch = [];
  };
  const timer = setInterval(flush, 250);

  void (async () => {
    for (let failed = 0; !life.signal.aborted;) {
      try {
        status.textContent = "Listening";
        status.dataset["on"] = "yes";
        await feed((event, data) => {
          failed = 0;
          if (event === "item") batch.push(JSON.parse(data) as Item);
          if (event === "dropped") status.textContent = `Listening · ${(left += Number(data)).toLocaleString("en-GB")} lines left out, more than can be read`;
        }, life.signal);
      } catch (e) {
        if (life.signal.aborted) return;
        if (e instanceof Problem && e.status === 401) { status.textContent = e.message; return; }
      }
      delete status.dataset["on"];
      status.textContent = "The connection was lost; trying again …";
      await new Promise((r) => setTimeout(r, waits[Math.min(failed++, waits.length - 1)]));
    }
  })();
  return () => { life.abort(); clearInterval(timer); };
}

/** itemLine draws one line of the feed or of a story. */
export function itemLine(i: Item, withCustomer: boolean): HTMLElement {
  const t = Date.parse(i.time), at = Number.isNaN(t) ? null : wall(t);
  return h("li", { class: `item kind-${i.kind}`, "data-kind": i.kind, "data-id": i.id },
    h("span", { class: "item-icon" }, icon(i.kind)),
    h("div", { class: "item-body" },
      h("p", { class: "item-title" }, h("strong", {}, i.title), withCustomer && h("a", { href: `#/customer/${encodeURIComponent(i.customer_id)}`, class: "who" }, i.customer_id), i.simulated && h("span", { class: "badge" }, "simulated")),
      i.why ? h("p", { class: "item-why" }, i.why) : null,
      i.parts?.length ? h("ul", { class: "parts" }, ...i.parts.map(partLine)) : null),
    at === null ? null : h("time", { datetime: i.time, class: "item-time" }, h("span", {}, clock(at)), h("span", { class: "faint" }, day(at))));
}

function partLine(p: Part): HTMLElement {
  return h("li", { class: `part part-${p.kind}${(p.points ?? 0) < 0 ? " minus" : ""}` }, h("span", { class: "part-text" }, p.text), p.why ? h("span", { class: "part-why" }, p.why) : null);
}
