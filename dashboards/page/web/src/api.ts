// What the page asks of the server. SQL never leaves it: a panel is named.

export type Kind = "time" | "date" | "number" | "bool" | "text" | "other";
export type Cell = string | number | boolean | null | object;

export interface Column { name: string; type: string; kind: Kind }

export interface Frame {
  columns: Column[];
  rows: Cell[][];
  truncated?: boolean;
  from: number;
  to: number;
  interval_s: number;
  took_ms: number;
}

export interface Listed { uid: string; title: string; description?: string }

export interface Site {
  now: string;
  time_zone: string;
  dashboards: Listed[];
  has_feed: boolean;
  has_story: boolean;
  has_program: boolean;
}

export interface Question {
  uid: string;
  panel?: number;
  variable?: string;
  annotation?: string;
  from: string;
  to: string;
  vars: Record<string, string[]>;
}

export class Problem extends Error {
  constructor(readonly status: number, readonly code: string, message: string, readonly hint = "") { super(message); }
}

const keyName = "punchcard-key";
let key = "";

/** takeKey keeps the key of the address (#key=…) for this tab and takes it out of sight. */
export function takeKey(): void {
  const m = /^#key=([^&]+)&?(.*)$/.exec(location.hash);
  if (m) {
    setKey(decodeURIComponent(m[1] ?? ""));
    history.replaceState(null, "", `${location.pathname}#${m[2] ?? ""}`);
  }
  try { key = sessionStorage.getItem(keyName) ?? key; } catch { /* storage is switched off: the key lives as long as the page */ }
}

export function setKey(k: string): void {
  key = k.trim();
  try { sessionStorage.setItem(keyName, key); } catch { /* as above */ }
}

async function call(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (key) headers.set("Authorization", `Bearer ${key}`);
  let res: Response;
  try {
    res = await fetch(new URL(`page/api/${path}`, document.baseURI), { ...init, headers, credentials: "same-origin" });
  } catch (e) {
    if (init.signal?.aborted) throw e;
    throw new Problem(0, "unreachable", "Punchcard does not answer", "is it running?");
  }
  if (res.ok) return res;
  const body = await res.json().catch(() => ({})) as { error?: { code: string; message: string; hint?: string } };
  throw new Problem(res.status, body.error?.code ?? "unknown", body.error?.message ?? `answer ${res.status}`, body.error?.hint);
}

async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return await (await call(path, { signal: signal ?? null })).json() as T;
}

export const site = (): Promise<Site> => get("dashboards");
export const dashboard = <T>(uid: string): Promise<T> => get(`dashboards/${encodeURIComponent(uid)}`);
export const story = <T>(id: string, signal: AbortSignal): Promise<T> => get(`customers/${encodeURIComponent(id)}`, signal);
export const program = <T>(signal: AbortSignal): Promise<T> => get("program", signal);

// The server answers few questions at a time; the others wait here, in order.
const atOnce = 4;
let under = 0;
const line: (() => void)[] = [];

async function turn(): Promise<void> {
  if (under >= atOnce) await new Promise<void>((go) => line.push(go));
  under++;
}

export async function query(q: Question, signal: AbortSignal): Promise<Frame> {
  await turn();
  try {
    signal.throwIfAborted();
    const res = await call("query", { method: "POST", body: JSON.stringify(q), headers: { "Content-Type": "application/json" }, signal });
    return await res.json() as Frame;
  } finally {
    under--;
    line.shift()?.();
  }
}

/** feed reads server-sent events until signal ends it; it throws when the connection is lost. */
export async function feed(on: (event: string, data: string) => void, signal: AbortSignal): Promise<void> {
  const res = await call("feed", { signal, headers: { Accept: "text/event-stream" } });
  const reader = res.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      let event = "", data = "";
      for (const l of block.split("\n")) {
        if (l.startsWith("event: ")) event = l.slice(7);
        if (l.startsWith("data: ")) data += l.slice(6);
      }
      on(event, data);
    }
  }
}
