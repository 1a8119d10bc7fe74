// Numbers that a person reads at a glance, and exactly where there is room.

const symbols: Record<string, string> = { GBP: "£", EUR: "€", USD: "$", JPY: "¥", INR: "₹", CHF: "CHF ", CAD: "C$", AUD: "A$", BRL: "R$", KRW: "₩", PLN: "zł ", SEK: "kr ", NOK: "kr ", DKK: "kr " };
const thin = " ";
const nbsp = " ";

interface Unit { prefix: string; suffix: string; factor: number; money: boolean; full: boolean }

function unitOf(unit: string | undefined): Unit {
  const u: Unit = { prefix: "", suffix: "", factor: 1, money: false, full: false };
  if (!unit || unit === "none" || unit === "locale") return { ...u, full: true };
  if (unit === "short" || unit === "sishort") return u;
  if (unit === "percent") return { ...u, suffix: `${thin}%` };
  if (unit === "percentunit") return { ...u, suffix: `${thin}%`, factor: 100 };
  const code = /^currency:?([A-Z]{3})$/.exec(unit)?.[1];
  if (code) return { ...u, prefix: symbols[code] ?? `${code}${nbsp}`, money: true };
  const [kind, ...rest] = unit.split(":");
  const text = rest.join(":");
  if (kind === "currency") return { ...u, prefix: text, money: true };
  if (kind === "prefix") return { ...u, prefix: text };
  if (kind === "suffix" || kind === "si") return { ...u, suffix: `${nbsp}${text.trim()}` };
  return { ...u, suffix: `${nbsp}${unit}` };
}

const spans: [number, string][] = [[31_536_000, "y"], [86_400, "d"], [3600, "h"], [60, "min"], [1, "s"], [0.001, "ms"]];
const inSeconds: Record<string, number> = { s: 1, ms: 0.001, m: 60, h: 3600, d: 86_400, dtdurations: 1, dtdurationms: 0.001, clocks: 1 };

function duration(seconds: number): string {
  if (seconds === 0) return `0${nbsp}s`;
  const abs = Math.abs(seconds);
  for (const [size, name] of spans) {
    if (abs >= (name === "y" ? 2 * size : size)) return `${digits(seconds / size, abs / size < 10 ? 1 : 0)}${nbsp}${name}`;
  }
  return `${digits(seconds * 1000, 2)}${nbsp}ms`;
}

const cache = new Map<string, Intl.NumberFormat>();

function digits(v: number, most: number, least = 0): string {
  const id = `${most}/${least}`;
  let f = cache.get(id);
  if (!f) cache.set(id, f = new Intl.NumberFormat("en-GB", { maximumFractionDigits: most, minimumFractionDigits: least }));
  const text = f.format(v).replace("-", "−");
  return text === "−0" ? "0" : text;
}

const sizes: [number, string][] = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];

/** glance writes a number short: 1.2 k, £8.9 M, 12.3 %. */
export function glance(v: number, unit?: string, decimals?: number): string {
  const day = dated(v, unit);
  if (day) return day;
  if (unit && unit in inSeconds) return duration(v * (inSeconds[unit] ?? 1));
  const u = unitOf(unit);
  const x = v * u.factor, abs = Math.abs(x);
  const from = u.full ? 1e6 : 1e3;
  const sign = x < 0 ? "−" : "";
  const bare = (n: string): string => (/[1-9]/.test(n) ? sign : ""); // −0.4 without decimals is 0
  for (const [size, name] of sizes) {
    if (abs >= size * 0.99950 && abs >= from) {
      const n = abs / size;
      return `${sign}${u.prefix}${digits(n, n < 9.995 ? 2 : n < 99.95 ? 1 : 0)}${nbsp}${name}${u.suffix}`;
    }
  }
  const most = decimals ?? (u.money ? (abs < 100 ? 2 : 0) : abs < 1 ? 3 : abs < 10 ? 2 : abs < 100 ? 1 : u.full ? 1 : 0);
  const least = u.money && most === 2 && !Number.isInteger(x) ? 2 : decimals !== undefined && !Number.isInteger(x) ? decimals : 0;
  const said = digits(abs, most, Math.min(least, most));
  return `${bare(said)}${u.prefix}${said}${u.suffix}`;
}

/** exact writes a number in full: £1,234.50. */
export function exact(v: number, unit?: string, decimals?: number): string {
  const day = dated(v, unit);
  if (day) return day;
  if (unit && unit in inSeconds) return duration(v * (inSeconds[unit] ?? 1));
  const u = unitOf(unit);
  const x = v * u.factor;
  const most = decimals ?? (u.money ? 2 : Number.isInteger(x) ? 0 : Math.abs(x) < 1 ? 4 : 2);
  const least = decimals ?? (u.money ? 2 : 0);
  const said = digits(Math.abs(x), most, least);
  return `${x < 0 && /[1-9]/.test(said) ? "−" : ""}${u.prefix}${said}${u.suffix}`;
}

/** tick writes a number on an axis. */
export function tick(v: number, unit?: string): string {
  const u = unitOf(unit);
  const money = u.money && Number.isInteger(v) && Math.abs(v) < 1000;
  return glance(v, unit === "none" || !unit ? "short" : unit, money ? 0 : undefined);
}

function dated(v: number, unit: string | undefined): string {
  if (!unit?.startsWith("dateTime")) return "";
  return unit === "dateTimeFromNow" ? moment(v) : moment(v);
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (n: number): string => String(n).padStart(2, "0");

/** These take wall-clock milliseconds (see zone.ts). */
export const month = (ms: number): string => { const d = new Date(ms); return `${months[d.getUTCMonth()]} ${d.getUTCFullYear()}`; };
export const dayOnly = (ms: number): string => { const d = new Date(ms); return `${d.getUTCDate()} ${months[d.getUTCMonth()]}`; };
export const day = (ms: number): string => `${new Date(ms).getUTCDate()} ${month(ms)}`;
export const clock = (ms: number): string => { const d = new Date(ms); return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`; };
export const moment = (ms: number): string => (ms % 86_400_000 === 0 ? day(ms) : `${day(ms)}, ${clock(ms)}`);

/** signed writes a change with its sign. */
export const signed = (v: number, unit?: string): string => (v > 0 ? "+" : "") + glance(v, unit);
