import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Words that stand for another word, which a reader who is not a native speaker has to look for. */
const PRO_FORMS = new Set(
  ("it its that this these those they them what which who whoever whatever one ones so such there then")
    .split(" "),
);
const RIDDLES = /^(what|who|whether|how)$/i;
const PRO_FORMS_PERCENT_MAX = 6;
const RIDDLES_PERCENT_MAX = 4;

it("Comments name their subject: few words stand for another, and few begin with What, Who, Whether or How", async () => {
  const comments = (await Promise.all((await listFiles()).map(commentsOf))).flat();
  const words = comments.flat();
  const proForms = percent(words.filter((word) => PRO_FORMS.has(word.toLowerCase())).length, words.length);
  const riddles = percent(comments.filter(([first]) => RIDDLES.test(first!)).length, comments.length);
  console.log(
    `${comments.length} comments of ${words.length} words: ${proForms} % pro-forms, ${riddles} % begin as a riddle`,
  );
  expect(comments.length).toBeGreaterThan(100);
  expect(proForms).toBeLessThanOrEqual(PRO_FORMS_PERCENT_MAX);
  expect(riddles).toBeLessThanOrEqual(RIDDLES_PERCENT_MAX);
});

function percent(part: number, whole: number): number {
  return Math.round(1_000 * part / whole) / 10;
}

async function listFiles(): Promise<string[]> {
  const folders = await Promise.all(["src", "migrations", "test", "bench"].map(async (folder) => {
    const files = await readdir(join(ROOT, folder), { recursive: true }).catch(() => []);
    return files.filter((file) => /\.(ts|sql)$/.test(file) && !file.includes("node_modules"))
      .map((file) => join(ROOT, folder, file));
  }));
  return folders.flat();
}

/** The words of each comment; code in backticks does not count, and lines in a row are one comment. */
async function commentsOf(file: string): Promise<string[][]> {
  const text = await readFile(file, "utf8");
  const comments = file.endsWith(".sql")
    ? [...text.matchAll(/(?:^[ \t]*--.*\n)+/gm)].map(([comment]) => comment.replace(/^\s*-- ?/gm, ""))
    : rangesIn(file, text).map((comment) => comment.replace(/^\s*(\/\*+|\*\/|\*|\/\/) ?/gm, ""));
  return comments.map((comment) =>
    comment.replace(/`[^`]*`|https?:\S+/g, " ").match(/[A-Za-z][A-Za-z'’]*/g) ?? []
  )
    .filter((words) => words.length > 0 && !/^(deno|istanbul)$/.test(words[0]!));
}

function rangesIn(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
  const found = new Map<number, string>();
  const visit = (node: ts.Node) => {
    const ranges = [
      ...ts.getLeadingCommentRanges(text, node.getFullStart()) ?? [],
      ...ts.getTrailingCommentRanges(text, node.getEnd()) ?? [],
    ];
    for (const { pos, end } of ranges) found.set(pos, text.slice(pos, end));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return joinLines([...found].toSorted(([a], [b]) => a - b), text);
}

/** Comments of one line each, with nothing but blanks between them, are one. */
function joinLines(comments: [number, string][], text: string): string[] {
  const joined: { end: number; text: string }[] = [];
  for (const [pos, comment] of comments) {
    const last = joined.at(-1);
    const follows = last && comment.startsWith("//") && text.slice(last.end, pos).trim() === "";
    if (follows) Object.assign(last, { end: pos + comment.length, text: `${last.text}\n${comment}` });
    else joined.push({ end: pos + comment.length, text: comment });
  }
  return joined.map(({ text }) => text);
}
