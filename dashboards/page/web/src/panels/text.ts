// Markdown, the part of it that dashboards use, as elements: no HTML is taken over.

import { h, type Child } from "../dom";
import { toOwn } from "../frame";
import { option, type Panel } from "../grafana";

export function textPanel(p: Panel, into: HTMLElement): void {
  into.className += " prose scroll";
  const content = option(p, "content", "");
  into.append(...markdown(option(p, "mode", "markdown") === "html" ? content.replace(/<[^>]*>/g, "") : content));
}

/** markdown reads headings, lists, quotes, code blocks, rules and paragraphs. */
export function markdown(source: string): HTMLElement[] {
  const out: HTMLElement[] = [];
  const lines = source.replaceAll("\r", "").split("\n");
  for (let i = 0; i < lines.length;) {
    const line = lines[i]!;
    const head = /^(#{1,4})\s+(.*)$/.exec(line);
    if (!line.trim()) i++;
    else if (head) { out.push(h(`h${Math.min(6, head[1]!.length + 2)}` as "h3", {}, ...inline(head[2]!))); i++; }
    else if (/^```/.test(line)) {
      const from = ++i;
      while (i < lines.length && !/^```/.test(lines[i]!)) i++;
      out.push(h("pre", {}, h("code", {}, lines.slice(from, i++).join("\n"))));
    } else if (/^(---+|\*\*\*+)$/.test(line.trim())) { out.push(h("hr")); i++; }
    else if (/^\s*([-*]|\d+\.)\s+/.test(line)) {
      const items: HTMLElement[] = [], numbered = /^\s*\d/.test(line);
      while (i < lines.length && /^\s*([-*]|\d+\.)\s+/.test(lines[i]!)) items.push(h("li", {}, ...inline(lines[i++]!.replace(/^\s*([-*]|\d+\.)\s+/, ""))));
      out.push(h(numbered ? "ol" : "ul", {}, ...items));
    } else if (/^>\s?/.test(line)) {
      const quote: string[] = [];
      while (i < lines.length && /^>\s?/.test(lines[i]!)) quote.push(lines[i++]!.replace(/^>\s?/, ""));
      out.push(h("blockquote", {}, ...inline(quote.join(" "))));
    } else {
      const from = i;
      while (i < lines.length && lines[i]!.trim() && !/^(#{1,4}\s|```|>|\s*([-*]|\d+\.)\s)/.test(lines[i]!)) i++;
      if (i === from) i++;
      out.push(h("p", {}, ...inline(lines.slice(from, i).join(" "))));
    }
  }
  return out;
}

const marks = /(`[^`]+`|\*\*[^*]+\*\*|\*[^*]+\*|_[^_\s][^_]*_(?!\w)|\[[^\]]+\]\([^)\s]+\))/;

function inline(s: string): Child[] {
  return s.split(marks).map((part): Child => {
    if (/^`.+`$/.test(part)) return h("code", {}, part.slice(1, -1));
    if (/^\*\*.+\*\*$/.test(part)) return h("strong", {}, part.slice(2, -2));
    if (/^\*.+\*$/.test(part) || /^_.+_$/.test(part)) return h("em", {}, part.slice(1, -1));
    const link = /^\[([^\]]+)\]\(([^)\s]+)\)$/.exec(part);
    if (!link) return part;
    const to = toOwn(link[2]!);
    return to ? h("a", { href: to, rel: "noopener noreferrer" }, link[1]!) : link[1]!;
  });
}
