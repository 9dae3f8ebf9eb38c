import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import process from "node:process";

/** The user of a server; without ids, the current user. */
export interface User {
  uid?: number;
  gid?: number;
}

/** Returns the user for servers: PostgreSQL and PgBouncer refuse to run as root. */
export async function serverUser(): Promise<User> {
  if (process.getuid?.() !== 0) return {};
  const users = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  const user = users.find(([name]) => name === "postgres") ?? users.find(([name]) => name === "nobody");
  if (!user) throw new Error("Cannot test as root: there is no user postgres or nobody to run servers as");
  return { uid: Number(user[2]), gid: Number(user[3]) };
}

/** Runs a program to the end, without pipes: a server would keep the pipes open. Returns the exit code. */
export function runAs(
  { uid, gid }: User,
  program: string,
  args: string[],
  environment: Record<string, string> = {},
): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const user = uid === undefined ? {} : { uid, gid: gid! };
    const env = { ...process.env, LC_ALL: "C", ...environment };
    spawn(program, args, { stdio: "ignore", detached: true, cwd: "/", env, ...user })
      .on("error", reject).on("exit", resolve);
  });
}
