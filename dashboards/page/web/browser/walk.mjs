// Walks the page in a real browser and judges it:
//
//   node browser/walk.mjs URL [--key KEY] [--skip UID]… [--customer ID] [--shots DIR] [--widths 1440,390]
//
// Every panel shows data or its own words for none, nothing is written to the
// console as an error, nothing is wider than the window. Prints one line for each
// view, and what the first paint took. Exit 1 with what is wrong.
import { existsSync, mkdirSync } from "node:fs";
import { chromium } from "playwright-core";

const args = process.argv.slice(2);
const url = args.shift();
const all = (name) => args.flatMap((a, i) => (a === `--${name}` ? [args[i + 1]] : []));
const one = (name, missing = "") => all(name)[0] ?? missing;
if (!url) throw new Error("which URL?");

const browsers = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = process.env.CHROMIUM || browsers.find(existsSync);
if (!executablePath) { console.error("no Chromium here: apt-get install chromium, or set CHROMIUM"); process.exit(2); }

const key = one("key"), skip = new Set(all("skip")), customer = one("customer"), shots = one("shots");
if (shots) mkdirSync(shots, { recursive: true });
const patience = 45_000; // ms for a view to settle, on a loaded machine
const wrong = [];
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--font-render-hinting=none"] });

for (const theme of one("themes", "light,dark").split(",")) {
  for (const width of one("widths", "1440,390").split(",").map(Number)) {
    const context = await browser.newContext({ viewport: { width, height: width > 600 ? 900 : 844 }, colorScheme: theme, reducedMotion: "reduce", deviceScaleFactor: shots && width < 600 ? 2 : 1 });
    const page = await context.newPage();
    let at = "start";
    page.on("console", (m) => { if (m.type() === "error" || m.type() === "warning") wrong.push(`${at} ${width} ${theme}: console: ${m.text()}`); });
    page.on("pageerror", (e) => wrong.push(`${at} ${width} ${theme}: ${e.message}`));
    const scripts = new Map(); // address → bytes as sent
    page.on("response", (r) => { if (r.url().endsWith(".js")) scripts.set(r.url(), Number(r.headers()["content-length"] ?? 0)); });
    await page.goto(`${url}/#key=${encodeURIComponent(key)}`);
    await page.waitForSelector(".nav-link", { state: "attached", timeout: patience });
    const boards = (await page.$$eval('a.nav-link[href^="#/d/"]', (list) => list.map((a) => decodeURIComponent(a.getAttribute("href").slice(4))))).filter((uid) => !skip.has(uid));
    const views = [...boards.map((uid) => `d/${uid}`), "live", "program", ...(customer ? [`customer/${customer}`] : [])];
    for (const view of views) {
      at = view;
      const began = Date.now();
      await page.goto(`${url}/#/${view}`);
      if (view.startsWith("d/")) {
        await page.waitForSelector(`main[data-settled="${view.slice(2)}"]`, { timeout: patience });
        await page.waitForFunction(() => !document.querySelector('.panel[data-state="loading"], .panel[aria-busy="true"]'), null, { timeout: patience });
      } else {
        const ready = { live: ".item", program: ".rules", customer: ".timeline, .story .item" }[view.split("/")[0]];
        await page.waitForSelector(ready, { timeout: patience }).catch(() => wrong.push(`${view} ${width} ${theme}: nothing is there`));
      }
      const took = Date.now() - began;
      const seen = await page.evaluate(look);
      for (const w of seen.wrong) wrong.push(`${view} ${width} ${theme}: ${w}`);
      if (shots) {
        await page.waitForTimeout(150);
        await page.screenshot({ path: `${shots}/${view.replaceAll("/", "-")}-${width}-${theme}.png`, fullPage: !view.startsWith("live") });
      }
      console.log(`${view} ${width} ${theme}: ${seen.panels} panels, ${seen.empty} say that there is nothing, settled in ${took} ms`);
    }
    await page.goto("about:blank");
    await page.goto(`${url}/#key=${encodeURIComponent(key)}`);
    await page.waitForSelector("h1", { timeout: patience });
    const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0);
    console.log(`${width} ${theme}: first paint ${Math.round(paint)} ms, scripts ${([...scripts.values()].reduce((a, b) => a + b, 0) / 1024).toFixed(0)} KiB packed`);
    await context.close();
  }
}
await browser.close();
if (wrong.length) { console.error(wrong.join("\n")); process.exit(1); }
console.log("all is well");

/** look runs in the page. */
function look() {
  const wrong = [];
  const panels = [...document.querySelectorAll(".panel[data-state]")];
  let empty = 0;
  for (const p of panels) {
    const name = p.querySelector("h2")?.textContent ?? p.id, state = p.dataset.state;
    if (state === "empty") empty++;
    if (state !== "data" && state !== "empty") wrong.push(`panel ${name} is ${state}: ${p.textContent.slice(0, 300)}`);
    if (state === "empty" && !p.querySelector(".empty p")?.textContent) wrong.push(`panel ${name} has no words for no data`);
    if (state === "data") {
      const body = p.querySelector(".panel-body");
      const canvas = body.querySelector("canvas");
      if (!body.textContent.trim() && !canvas) wrong.push(`panel ${name} shows nothing`);
      if (canvas && (canvas.clientWidth < 50 || canvas.clientHeight < 50)) wrong.push(`panel ${name}: the chart is ${canvas.clientWidth}×${canvas.clientHeight}`);
      if (/\b(NaN|undefined|Infinity|\[object)/.test(body.textContent)) wrong.push(`panel ${name} shows ${/\b(NaN|undefined|Infinity|\[object)/.exec(body.textContent)[1]}`);
    }
  }
  const over = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (over > 0) {
    const widest = [...document.querySelectorAll("main *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll, .legend, .choices")).slice(0, 3).map((e) => e.className || e.tagName);
    wrong.push(`the page is ${over} px wider than the window: ${widest.join(", ")}`);
  }
  for (const b of document.querySelectorAll("button, a, input")) {
    if (b.checkVisibility() && !(b.textContent.trim() || b.getAttribute("aria-label") || b.closest("label"))) wrong.push(`a ${b.tagName} without a name: ${b.className}`);
  }
  return { panels: panels.length, empty, wrong };
}
