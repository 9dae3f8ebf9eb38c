import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useTestApp } from "../support/app.ts";

const CHROMIUM = "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
];

const hasBrowser = existsSync(CHROMIUM);
if (!hasBrowser) console.log(`Skipping the tests of /docs: there is no ${CHROMIUM}`);

describe.skipIf(!hasBrowser)("/docs in a browser", () => {
  const app = useTestApp();
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
  });
  afterAll(() => browser.close());

  it("shows every operation, without a request to anywhere else", async () => {
    const page = await browser.newPage();
    const requested: string[] = [];
    const complaints: string[] = [];
    page.on("request", (request) => requested.push(request.url()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));

    await page.goto(`${app.url}/`);
    const { paths } = (await app.get("/openapi.json")).body as { paths: Record<string, object> };
    const operations = Object.values(paths).flatMap((methods) => Object.keys(methods)).length;
    const blocks = page.locator(".opblock");
    await blocks.nth(operations - 1).waitFor();

    expect(await blocks.count()).toBe(operations);
    expect(await page.getByText("Fill a jar", { exact: true }).isVisible()).toBe(true);
    expect(requested.filter((url) => !url.startsWith(`${app.url}/`) && !url.startsWith("data:"))).toEqual(
      [],
    );
    expect(requested).toContain(`${app.url}/openapi.json`);
    expect(complaints).toEqual([]);
  });

  it("sends a command from the page", async () => {
    const page = await browser.newPage();
    await page.goto(`${app.url}/docs`);
    const block = page.locator(".opblock", { hasText: "Open a jar" });
    await block.click();
    await block.getByRole("button", { name: "Try it out" }).click();
    await block.locator("textarea").fill(`{"label":"Honey"}`);
    await block.getByRole("button", { name: "Execute" }).click();
    await block.locator(".live-responses-table .response-col_status", { hasText: "201" }).waitFor();

    const events = await app.database.owner.selectFrom("write.events").select("type").execute();
    expect(events).toEqual([{ type: "JarOpened" }]);
  });
});
