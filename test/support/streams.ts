import { join } from "node:path";
import ts from "typescript";
import type { AnyCommand, ExportedCommand } from "./commands.ts";
import { ROOT } from "./imports.ts";

/** The streams of an aggregate, as the types of the commands describe them. */
export interface Stream {
  aggregate: AnyCommand["aggregate"];
  /** Every type of event, from the union of the aggregate's events. */
  eventTypes: string[];
  /** Made-up states without an empty list. Together, they have every member of every union of the state's type. */
  states: unknown[];
}

/** As many as the members of the largest union. */
const STATES = 12;

/** Lists the streams that commands append to. Asks the TypeScript compiler, which takes seconds. */
export function listStreams(commands: ExportedCommand[]): Stream[] {
  const program = readProgram(commands.map(({ file }) => join(ROOT, file)));
  const streams = new Map<AnyCommand["aggregate"], Stream>();
  for (const one of commands) {
    const { aggregate } = one.command;
    const { state, event } = typesOf(program, one);
    const earlier = streams.get(aggregate)?.eventTypes ?? [];
    streams.set(aggregate, {
      aggregate,
      eventTypes: [...new Set([...earlier, ...eventTypesOf(program, one, event)])],
      states: Array.from({ length: STATES }, (_, turn) => sampleOf(program.getTypeChecker(), state, turn)),
    });
  }
  return [...streams.values()];
}

/** Reads modules and their imports from this project: packages would take long, and events need none. */
function readProgram(files: string[]): ts.Program {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    lib: ["lib.es5.d.ts"],
    types: [],
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
  };
  const host = ts.createCompilerHost(options);
  host.resolveModuleNameLiterals = (names, from) =>
    names.map(({ text }) =>
      text.startsWith(".") ? ts.resolveModuleName(text, from, options, host) : { resolvedModule: undefined }
    );
  return ts.createProgram(files, options, host);
}

/** Returns the types of the state and the events: the parameters of the aggregate's `evolve`. */
function typesOf(program: ts.Program, { file, name }: ExportedCommand) {
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(join(ROOT, file))!)!;
  const command = checker.getExportsOfModule(module).find((exported) => exported.name === name)!;
  const evolve = memberOf(
    checker,
    memberOf(checker, checker.getTypeOfSymbol(command), "aggregate"),
    "evolve",
  );
  const [state, event] = evolve?.getCallSignatures()[0]?.parameters ?? [];
  if (!state || !event) throw new Error(`Cannot read the type of ${name} in ${file}: it is not a Command`);
  return { state: checker.getTypeOfSymbol(state), event: checker.getTypeOfSymbol(event) };
}

function memberOf(checker: ts.TypeChecker, type: ts.Type | undefined, name: string): ts.Type | undefined {
  const member = type?.getProperty(name);
  return member && checker.getTypeOfSymbol(member);
}

function eventTypesOf(program: ts.Program, { file, name }: ExportedCommand, event: ts.Type): string[] {
  const types = membersOf(event).map((member) => memberOf(program.getTypeChecker(), member, "type"));
  return types.map((type) => {
    if (type?.isStringLiteral()) return type.value;
    throw new Error(`Cannot list the events of ${name} in ${file}: each needs a type such as "OrderPlaced"`);
  });
}

function membersOf(type: ts.Type): ts.Type[] {
  return type.isUnion() ? type.types : [type];
}

/** Returns a made-up value of a type. Turn by turn, a union is each of its members. */
function sampleOf(checker: ts.TypeChecker, type: ts.Type, turn: number): unknown {
  const members = membersOf(type);
  const one = members[turn % members.length]!;
  if (one.isStringLiteral() || one.isNumberLiteral()) return one.value;
  if (one.flags & ts.TypeFlags.BooleanLiteral) return checker.typeToString(one) === "true";
  if (one.flags & ts.TypeFlags.Number) return 1;
  if (one.flags & ts.TypeFlags.Null) return null;
  if (!(one.flags & ts.TypeFlags.Object)) return "sample";
  const item = checker.getIndexTypeOfType(one, ts.IndexKind.Number);
  if (item) return [sampleOf(checker, item, turn)];
  const value = checker.getIndexTypeOfType(one, ts.IndexKind.String);
  if (value) return { sample: sampleOf(checker, value, turn) };
  return Object.fromEntries(
    one.getProperties().map(({ name }) => [name, sampleOf(checker, memberOf(checker, one, name)!, turn)]),
  );
}
