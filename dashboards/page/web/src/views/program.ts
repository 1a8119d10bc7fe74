// The program in words: rules, segments and campaigns as a marketer reads them.

import { program, type Site } from "../api";
import { h, type Child } from "../dom";
import { day } from "../format";
import { wall } from "../zone";
import { trouble } from "./customer";

interface Text { id: string; name?: string; text: string }
interface Program { name: string; version: string; since?: string; currency?: string; time_zone?: string; rules: string; segments: Text[] | null; campaigns: Text[] | null }

export function programView(into: HTMLElement, _: Site): () => void {
  document.title = "Program · Punchcard";
  const life = new AbortController();
  const head = h("div", { class: "board-title" }, h("h1", {}, "Program"), h("p", { class: "lead" }, "What is in force, in words: the very rules that decide."));
  const body = h("div", { class: "program" }, h("div", { class: "panel" }, h("div", { class: "panel-body" }, h("div", { class: "skeleton tall", role: "status", "aria-label": "Loading" }))));
  into.replaceChildren(h("header", { class: "board-head" }, head), body);
  program<Program>(life.signal).then((p) => {
    const facts = [p.since ? `in force since ${day(wall(Date.parse(p.since)))}` : "", p.currency && `money in ${p.currency}`, p.time_zone && `days of ${p.time_zone}`, p.version && `version ${p.version.slice(0, 12)}`];
    head.replaceChildren(h("p", { class: "eyebrow" }, "Program"), h("h1", {}, p.name || "Program"), h("p", { class: "lead" }, facts.filter(Boolean).join(" · ")));
    body.replaceChildren(rules(p.rules), list("Segments", "segments", p.segments ?? [], segment), list("Campaigns", "campaigns", p.campaigns ?? [], campaign));
  }, (e: unknown) => { if (!life.signal.aborted) body.replaceChildren(trouble(e)); });
  return () => life.abort();
}

/** rules draws the text: titles stand at the margin, rules below them with their id first. */
function rules(source: string): HTMLElement {
  const out: HTMLElement[] = [];
  let section: HTMLElement | null = null;
  let blank = false;
  for (const raw of source.split("\n")) {
    const line = raw.trimEnd();
    if (!line) { section = null; blank = true; continue; }
    if (!line.startsWith(" ") && blank && !section) {
      section = h("div", { class: "rule-group" }, h("h3", {}, line));
      out.push(section);
      continue;
    }
    if (!blank) continue; // name, money and zone stand above
    if (!line.startsWith(" ")) { section?.append(h("p", {}, line)); continue; }
    const m = /^ {2}(\S.*?)\s{2,}(\S.*)$/.exec(line) ?? /^ {2}(\S{1,20}) (\S.*)$/.exec(line);
    const isRule = m && /^[a-z][\w. -]{0,19}$/.test(m[1]!) && (/\s{2}/.test(line.slice(2)) || !m[1]!.includes(" "));
    (section ?? out.at(-1))?.append(isRule ? h("div", { class: "rule" }, h("code", {}, m[1]!), h("span", {}, m[2]!)) : h("p", { class: "rule-note" }, line.trim()));
  }
  return h("section", { class: "panel rules", "aria-label": "Rules" }, h("header", { class: "panel-head" }, h("h2", {}, "Rules")), h("div", { class: "rule-groups" }, ...out));
}

function list(title: string, id: string, texts: Text[], body: (lines: string[]) => Child[]): HTMLElement {
  const cards = texts.map((t) => {
    const lines = t.text.trimEnd().split("\n");
    const name = t.name || lines[0]?.replace(/ \(.*\)$/, "") || t.id;
    const rest = lines[0]?.includes(t.id) ? lines.slice(1) : lines;
    return h("article", { class: "panel text-card" }, h("h3", {}, name), h("p", { class: "faint" }, h("code", {}, t.id)), ...body(rest));
  });
  return h("section", { "aria-labelledby": id }, h("h2", { class: "row-head", id }, title, h("span", { class: "count" }, String(texts.length))), cards.length ? h("div", { class: "text-cards" }, ...cards) : h("p", { class: "faint" }, `The program has no ${title.toLowerCase()}.`));
}

const deep = (l: string): HTMLElement => h("p", { class: `deep-${Math.min(Math.floor((l.length - l.trimStart().length) / 2), 5)}` }, l.trim());

/** segment keeps the indents: they say what belongs together. */
const segment = (lines: string[]): Child[] => lines.filter((l) => l.trim()).map(deep);

/** campaign sets the words before the gap in a column of their own, and messages as they will be read. */
function campaign(lines: string[]): Child[] {
  const out: Child[] = [];
  for (let i = 0; i < lines.length; i++) {
    const l = lines[i]!, label = l.slice(2, 11).trimEnd();
    if (l.trimStart().startsWith("|")) {
      const from = i;
      while (i + 1 < lines.length && lines[i + 1]!.trimStart().startsWith("|")) i++;
      out.push(h("blockquote", { class: "letter" }, lines.slice(from, i + 1).map((x) => x.trimStart().replace(/^\| ?/, "")).join("\n")));
    } else if (/^[A-Z][a-z ]+$/.test(label) && l.slice(2, 12) === `${label.padEnd(9)} ` && /\S/.test(l.charAt(12))) {
      out.push(h("div", { class: "rule" }, h("b", {}, label), h("span", {}, l.slice(12))));
    } else if (l.trim()) out.push(deep(l));
  }
  return out;
}
