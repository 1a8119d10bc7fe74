// Light and dark, and the palette: Okabe and Ito's, which colour-blind people tell
// apart, a little darker or lighter where the ground asks for it.

export type Theme = "light" | "dark";

const name = "punchcard-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

const series: Record<Theme, string[]> = {
  light: ["#0072b2", "#e08a00", "#009e73", "#b85c95", "#3aa0dc", "#d55e00", "#8a8300", "#6b7280"],
  dark: ["#56b4e9", "#e69f00", "#2fc39a", "#dd8fba", "#7d9df0", "#f0743c", "#e6da4a", "#9aa3af"],
};

const named: Record<Theme, Record<string, string>> = {
  light: { blue: "#0072b2", green: "#00805d", red: "#c44d00", yellow: "#b08d00", orange: "#d97f00", purple: "#a64d84", gray: "#6b7280", text: "#16181d" },
  dark: { blue: "#56b4e9", green: "#2fc39a", red: "#f0743c", yellow: "#e6da4a", orange: "#e69f00", purple: "#dd8fba", gray: "#9aa3af", text: "#eceff3" },
};

export function theme(): Theme {
  return document.documentElement.dataset["theme"] === "dark" ? "dark" : "light";
}

function chosen(): string | null {
  try { return localStorage.getItem(name); } catch { return null; }
}

function apply(): void {
  const t = chosen() ?? (dark.matches ? "dark" : "light");
  document.documentElement.dataset["theme"] = t;
  listeners.forEach((fn) => fn());
}

export function startTheme(): void {
  apply();
  dark.addEventListener("change", apply);
}

export function switchTheme(): void {
  const next = theme() === "dark" ? "light" : "dark";
  try { localStorage.setItem(name, next); } catch { document.documentElement.dataset["theme"] = next; }
  apply();
}

/** onTheme calls fn after each switch, until the returned function is called. */
export function onTheme(fn: () => void): () => void {
  listeners.add(fn);
  return () => listeners.delete(fn);
}

export const palette = (): string[] => series[theme()];

/** nth is the colour of a series; beyond the palette the same hues come again, nearer to the ink. */
export function nth(i: number): string {
  const p = palette(), round = Math.floor(i / p.length);
  return round ? mix(p[i % p.length]!, named[theme()]["text"]!, Math.min(0.6, 0.38 * round)) : p[i]!;
}

/** paint turns one of Grafana's colour names (semi-dark-red, …) or a hex code into a colour of ours. */
export function paint(color: string | undefined): string {
  if (!color || color === "transparent") return "transparent";
  if (/^#[0-9a-f]{3,8}$/i.test(color)) return color;
  const base = color.replace(/^(super-light|semi-dark|light|dark)-/, "").replace("grey", "gray");
  return named[theme()][base] ?? named[theme()]["gray"]!;
}

/** ink is a colour of the style sheet, for canvas. */
export function ink(variable: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${variable}`).trim();
}

type RGB = [number, number, number];

function rgb(hex: string): RGB {
  const x = hex.length === 4 ? [...hex.slice(1)].map((c) => c + c).join("") : hex.slice(1, 7);
  return [0, 2, 4].map((i) => parseInt(x.slice(i, i + 2), 16)) as RGB;
}

export function mix(a: string, b: string, share: number): string {
  const x = rgb(a), y = rgb(b);
  return `#${x.map((v, i) => Math.round(v + (y[i]! - v) * share).toString(16).padStart(2, "0")).join("")}`;
}

/** readable is the ink that is seen best on a ground. */
export function readable(ground: string): string {
  const [r, g, b] = rgb(ground).map((v) => { const c = v / 255; return c <= 0.04 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; }) as RGB;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.24 ? "#14171c" : "#ffffff";
}

const ramps: Record<Theme, string[]> = {
  light: ["#eef4f9", "#a9cfe8", "#4a9bcb", "#0072b2", "#00446e"],
  dark: ["#1c2632", "#1f4560", "#2a7099", "#56b4e9", "#b9e1fa"],
};

/** shade is the colour of a share (0…1) on a scale of one hue. */
export function shade(share: number): string {
  const r = ramps[theme()];
  const at = Math.max(0, Math.min(1, share)) * (r.length - 1);
  const i = Math.min(r.length - 2, Math.floor(at));
  return mix(r[i]!, r[i + 1]!, at - i);
}
