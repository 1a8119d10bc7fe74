// Building elements. Nothing here or elsewhere sets innerHTML: text stays text.

export type Child = Node | string | null | undefined | false;
type Props = Record<string, string | number | boolean | null | undefined | ((e: never) => void)>;

/** h makes an element: on… are listeners, the rest attributes (true: empty, false: left out). */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const el = document.createElement(tag);
  set(el, props);
  el.append(...children.filter((c): c is Node | string => c !== null && c !== undefined && c !== false));
  return el;
}

/** s makes an SVG element. */
export function s(tag: string, props: Props = {}, ...children: Node[]): SVGElement {
  const el = document.createElementNS("http://www.w3.org/2000/svg", tag);
  set(el, props);
  el.append(...children);
  return el;
}

function set(el: Element, props: Props): void {
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") el.addEventListener(name.slice(2).toLowerCase(), value as EventListener);
    else if (value === true) el.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) el.setAttribute(name, String(value));
  }
}

/** vars sets CSS variables, which the content security policy allows. */
export function vars<T extends HTMLElement | SVGElement>(el: T, values: Record<string, string | number>): T {
  for (const [name, value] of Object.entries(values)) el.style.setProperty(`--${name}`, String(value));
  return el;
}

const paths: Record<string, string> = {
  overview: "M4 13h6V4H4zM14 20h6v-9h-6zM4 20h6v-3H4zM14 7h6V4h-6z",
  live: "M3 12h4l3-8 4 16 3-8h4",
  customer: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 20c1.5-3.5 4.5-5 8-5s6.500 1.500 8 5",
  program: "M6 3h9l4 4v14H6zM9 11h7M9 15h7M9 7h3",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5M12 8v.01",
  table: "M4 5h16v14H4zM4 10h16M4 14.500h16M10 5v14",
  chart: "M4 20h16M7 16v-5M12 16V6M17 16v-8",
  refresh: "M20 11a8 8 0 0 0-14.500-4M4 4v4h4M4 13a8 8 0 0 0 14.500 4M20 20v-4h-4",
  theme: "M12 3v2M12 19v2M3 12h2M19 12h2M5.600 5.600 7 7M17 17l1.400 1.400M18.400 5.600 17 7M7 17l-1.400 1.400M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8z",
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6 6 18",
  down: "M7 10l5 5 5-5",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2",
  wall: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  pause: "M9 5v14M15 5v14",
  play: "M7 5l12 7-12 7z",
  order: "M5 8h14l-1 12H6zM9 8V7a3 3 0 0 1 6 0v1",
  refund: "M9 7 4 12l5 5M4 12h11a5 5 0 0 0 0-10",
  message: "M4 5h16v11H9l-5 4z",
  held: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM6 6l12 12",
  points: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM9.500 15.500v-7H13a2 2 0 0 1 0 4.500H9.500",
  tier: "M12 3l2.700 5.800 6.300.800-4.600 4.300 1.200 6.200L12 17l-5.600 3.100 1.200-6.200L3 9.600l6.300-.800z",
  segment: "M9 15a5 5 0 1 0 0-10 5 5 0 0 0 0 10zM15 19a5 5 0 1 0 0-10 5 5 0 0 0 0 10z",
  survey: "M4 5h16v11H9l-5 4zM9 10.500h.01M12 10.500h.01M15 10.500h.01",
};

const alias: Record<string, string> = { redemption: "points", member: "tier", time: "clock", rules: "program", fact: "customer", event: "live", scores: "chart" };

/** icon is decoration: what it stands for is said in text beside it. */
export function icon(name: string): SVGElement {
  const d = paths[name] ?? paths[alias[name] ?? "info"] ?? "";
  return s("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, s("path", { d }));
}

export const clear = (el: Element): void => el.replaceChildren();
