import { spawn } from "node:child_process";
import type { Owner } from "./postgres-binaries.ts";

/** Runs a program to the end, out of reach of Ctrl-C. No pipes: the server would keep the pipes open. */
export function run(program: string, args: string[], { uid, gid }: Owner): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const user = uid === undefined ? {} : { uid, gid: gid! };
    const env = { ...process.env, LC_ALL: "C" };
    spawn(program, args, { stdio: "ignore", detached: true, cwd: "/", env, ...user })
      .on("error", reject).on("exit", resolve);
  });
}
