import { readdir, readFile } from "node:fs/promises";

/** The clock of /proc ticks a hundred times a second on every Linux. */
const TICK_MS = 10;

interface Running {
  pid: number;
  parent: number;
  ms: number;
}

/** Returns the processor time of a process and all its descendants, in ms. Linux only: reads /proc. */
export async function processorMs(root: number): Promise<number> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const running = (await Promise.all(pids.map(read))).filter((one) => one !== undefined);
  const family = new Set([root]);
  for (let size = 0; size < family.size;) {
    size = family.size;
    for (const { pid, parent } of running) if (family.has(parent)) family.add(pid);
  }
  return running.filter(({ pid }) => family.has(pid)).reduce((sum, { ms }) => sum + ms, 0);
}

/** Returns the parent of a process; undefined without /proc, or after the end of the process. */
export async function parentOf(pid: number): Promise<number | undefined> {
  return (await read(pid))?.parent;
}

async function read(pid: number): Promise<Running | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The name of the program, in parentheses, may have any signs.
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  return fields &&
    { pid, parent: Number(fields[1]), ms: (Number(fields[11]) + Number(fields[12])) * TICK_MS };
}
