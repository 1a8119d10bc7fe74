// Times of a zone as if they were UTC: charts and formats then need no zones.

let zone = "UTC";
let form: Intl.DateTimeFormat | null = null;
const offsets = new Map<number, number>();

export function setZone(name: string): void {
  if (name === zone) return;
  zone = name;
  offsets.clear();
  form = name === "UTC" ? null : new Intl.DateTimeFormat("en-US", {
    timeZone: name, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
  });
}

export const zoneName = (): string => zone;

/** wall turns an instant into the milliseconds that a clock on the zone's wall shows. */
export function wall(ms: number): number {
  if (!form) return ms;
  const quarter = Math.floor(ms / 900_000); // offsets change on quarters of an hour
  let off = offsets.get(quarter);
  if (off === undefined) {
    const p: Record<string, number> = {};
    for (const { type, value } of form.formatToParts(quarter * 900_000)) p[type] = Number(value);
    off = Date.UTC(p["year"]!, p["month"]! - 1, p["day"], p["hour"], p["minute"], p["second"]) - quarter * 900_000;
    if (offsets.size > 50_000) offsets.clear();
    offsets.set(quarter, off);
  }
  return ms + off;
}
