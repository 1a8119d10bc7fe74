// The page: menu, views, keys.

import "./style/fonts.css";
import "./style/base.css";
import "./style/panels.css";
import "./style/views.css";

import { Problem, setKey, site, takeKey, type Site } from "./api";
import { board } from "./board";
import type { Choice } from "./controls";
import { h, icon, s } from "./dom";
import { go, href, onRoute, route } from "./router";
import { startTheme, switchTheme } from "./theme";
import { customer, trouble } from "./views/customer";
import { live } from "./views/live";
import { programView } from "./views/program";
import { setZone } from "./zone";

const app = document.getElementById("app")!;
const main = h("main", { id: "main", tabindex: "-1" });
const nav = h("nav", { class: "nav", "aria-label": "Views" });
let here: Site;
let end: () => void = () => undefined;
let again: () => void = () => undefined;
let choice: Choice | null = null;
let shownAt = 0;

function mark(): SVGElement {
  const dots = [[9, 12.5, 1], [16, 12.5, 1], [23, 12.5, 0], [9, 19.5, 1], [16, 19.5, 0], [23, 19.5, 0]] as const;
  return s("svg", { viewBox: "0 0 32 32", class: "mark", "aria-hidden": "true" }, s("rect", { x: 2, y: 6, width: 28, height: 20, rx: 5 }), ...dots.map(([cx, cy, on]) => s("circle", { cx, cy, r: 2.3, class: on ? "on" : "" })));
}

function drawNav(): void {
  const link = (to: string, name: string, pic: string): HTMLElement => h("a", { href: to, class: "nav-link" }, icon(pic), name);
  const menu = h("button", { type: "button", class: "tool menu", "aria-expanded": "false", "aria-controls": "menu", "aria-label": "Menu" }, icon("menu"));
  menu.addEventListener("click", () => openMenu(menu.getAttribute("aria-expanded") !== "true"));
  const openMenu = (on: boolean): void => { menu.setAttribute("aria-expanded", String(on)); nav.classList.toggle("open", on); };
  nav.addEventListener("click", (e) => { if ((e.target as Element).closest("a")) openMenu(false); });
  nav.replaceChildren(
    h("div", { class: "nav-top" }, h("a", { href: "#/", class: "brand" }, mark(), "Punchcard"), menu),
    h("div", { class: "nav-list", id: "menu" },
      h("p", { class: "nav-title" }, "Dashboards"), ...here.dashboards.map((d) => link(href("d", d.uid), d.title, pictures[d.uid.replace(/^punchcard-/, "")] ?? "chart")),
      h("p", { class: "nav-title" }, "Up close"), here.has_feed && link("#/live", "Live", "live"), here.has_story && link("#/customer", "Customers", "customer"), here.has_program && link("#/program", "Program", "program"),
      h("div", { class: "nav-end" },
        h("button", { type: "button", class: "nav-link", title: "Light or dark (t)", onClick: switchTheme }, icon("theme"), "Light or dark"),
        h("button", { type: "button", class: "nav-link wall-button", title: "For a wall: without the menu (w)", onClick: wallMode }, icon("wall"), "Wall"))));
}

const pictures: Record<string, string> = { overview: "overview", customers: "segment", retention: "refresh", "points-and-tiers": "points", campaigns: "message", voice: "survey", value: "chart", pipeline: "live" };

function wallMode(): void { document.documentElement.classList.toggle("wall"); }

async function show(): Promise<void> {
  const mine = ++shownAt;
  end();
  end = again = () => undefined;
  main.className = "";
  const r = route();
  if (r.view === "" && here.dashboards[0]) { location.replace(href("d", here.dashboards[0].uid)); return; }
  nav.querySelectorAll("a.nav-link").forEach((a) => {
    const to = a.getAttribute("href")!.slice(1), now = r.view === "d" ? href("d", r.id).slice(1) : `/${r.view === "customers" ? "customer" : r.view}`;
    if (to === now) a.setAttribute("aria-current", "page"); else a.removeAttribute("aria-current");
  });
  scrollTo(0, 0);
  try {
    if (r.view === "d") {
      const b = await board(main, here, r, choice);
      if (mine !== shownAt) { b.end(); return; }
      ({ end, choice, refresh: again } = b);
    } else if (r.view === "live") end = live(main);
    else if (r.view === "customer" || r.view === "customers") end = customer(main, here, r);
    else if (r.view === "program") end = programView(main, here);
    else main.replaceChildren(trouble(new Problem(404, "not_found", "there is no such page", "choose one from the menu")));
  } catch (e) {
    if (e instanceof Problem && e.status === 401) return askKey(e);
    main.replaceChildren(trouble(e));
  }
}

/** askKey asks for the read key; it is kept for this tab only. */
function askKey(why: Problem): void {
  const field = h("input", { type: "password", autocomplete: "current-password", "aria-label": "Read key", placeholder: "Read key", required: true });
  app.replaceChildren(h("main", { id: "main", class: "gate" }, h("form", { class: "panel gate-card", onSubmit: (e: Event) => { e.preventDefault(); setKey(field.value); void begin(); } },
    h("div", { class: "brand" }, mark(), "Punchcard"), h("h1", {}, "A read key, please"), h("p", { class: "lead" }, why.code === "key_needed" ? "The dashboards are for those who have one. It is in the file keys of the data folder, in the line that begins with read." : why.message), field, h("button", { class: "primary", type: "submit" }, "Open"))));
  field.focus();
}

function keys(e: KeyboardEvent): void {
  const at = e.target as HTMLElement;
  if (e.ctrlKey || e.metaKey || e.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName)) return;
  const index = here.dashboards.findIndex((d) => route().view === "d" && d.uid === route().id);
  const step = (n: number): void => { const d = here.dashboards[(index + n + here.dashboards.length) % here.dashboards.length]; if (d) go(href("d", d.uid)); };
  switch (e.key) {
    case "t": switchTheme(); break;
    case "r": again(); break;
    case "w": wallMode(); break;
    case "[": step(-1); break;
    case "]": step(1); break;
    case "/": if (here.has_story) { e.preventDefault(); go("#/customer"); } break;
    default: if (/^[1-9]$/.test(e.key) && here.dashboards[Number(e.key) - 1]) go(href("d", here.dashboards[Number(e.key) - 1]!.uid));
  }
}

async function begin(): Promise<void> {
  try {
    here = await site();
  } catch (e) {
    if (e instanceof Problem && e.status === 401) return askKey(e);
    app.replaceChildren(h("main", { id: "main", class: "gate" }, trouble(e), h("button", { type: "button", class: "primary", onClick: () => void begin() }, "Try again")));
    return;
  }
  setZone(here.time_zone);
  drawNav();
  app.replaceChildren(nav, main);
  await show();
}

startTheme();
takeKey();
onRoute(() => { if (location.hash.startsWith("#key=")) { takeKey(); void begin(); } else if (here) void show(); });
addEventListener("keydown", (e) => { if (here) keys(e); });
void begin();
