// The address: #/d/<uid>?from=…&to=…&tier=gold, #/live, #/customer/<id>, #/program.

export interface Route { view: string; id: string; params: URLSearchParams }

export function route(): Route {
  const [path = "", search = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  const [view = "", ...rest] = path.split("/");
  let id = rest.join("/");
  try { id = decodeURIComponent(id); } catch { /* as it is written */ }
  return { view, id, params: new URLSearchParams(search) };
}

export function href(view: string, id = "", params?: URLSearchParams): string {
  const search = params?.toString() ?? "";
  return `#/${view}${id ? `/${encodeURIComponent(id)}` : ""}${search ? `?${search}` : ""}`;
}

export const go = (to: string): void => { location.hash = to; };

/** replace changes the parameters of the address and tells nobody. */
export function replaceParams(params: URLSearchParams): void {
  const r = route();
  history.replaceState(null, "", href(r.view, r.id, params));
}

export const onRoute = (fn: () => void): void => addEventListener("hashchange", fn);
