import {
  type ColumnUpdateNode,
  DeleteQueryNode,
  InsertQueryNode,
  type OperationNode,
  SelectQueryNode,
  sql,
  UpdateQueryNode,
  ValuesNode,
} from "kysely";
import type { Database } from "../../src/database/database.ts";
import type { Stream } from "./streams.ts";

/** A write to a table, within the statement that saves an aggregate. */
export interface Write {
  /** With the schema. */
  table: string;
  isInsert: boolean;
  columns: string[];
  /** The columns that an insert fills with the aggregate's id. */
  idColumns: string[];
  /** The columns of `on conflict`. */
  conflictColumns: string[];
}

/** Lists the writes of an aggregate's `save` at the creation, or at a later change. */
export function listWrites(db: Database, { aggregate, states }: Stream, created: boolean): Write[] {
  const id = crypto.randomUUID();
  return states.flatMap((state) => {
    const statement = aggregate.save(db, { id, state, version: created ? 1 : 2, created });
    const node = statement.selectNoFrom(sql`1`.as("one")).toOperationNode() as SelectQueryNode;
    return (node.with?.expressions ?? []).flatMap(({ expression }) => writesOf(expression, id));
  });
}

function writesOf(node: OperationNode, id: string): Write[] {
  if (InsertQueryNode.is(node)) {
    const columns = (node.columns ?? []).map(({ column }) => column.name);
    return [{
      table: tableIn(node.into),
      isInsert: true,
      columns: [...columns, ...updated(node.onConflict?.updates)],
      idColumns: columns.filter((_, place) => valueAt(node.values, place) === id),
      conflictColumns: (node.onConflict?.columns ?? []).map(({ column }) => column.name),
    }];
  }
  const write = { isInsert: false, idColumns: [], conflictColumns: [] };
  if (UpdateQueryNode.is(node)) {
    return [{ ...write, table: tableIn(node.table), columns: updated(node.updates) }];
  }
  if (DeleteQueryNode.is(node)) return [{ ...write, table: tableIn(node.from.froms[0]), columns: ["*"] }];
  return [];
}

function updated(updates: readonly ColumnUpdateNode[] = []): string[] {
  return updates.map(({ column }) => (column as unknown as { column: { name: string } }).column.name);
}

/** Returns a value in the first row of an insert; undefined when the value is an expression. */
function valueAt(values: OperationNode | undefined, place: number): unknown {
  if (!values || !ValuesNode.is(values)) return undefined;
  const value = values.values[0]?.values[place];
  return typeof value === "object" && value !== null && "value" in value ? value.value : value;
}

/** Returns the table of a node, with or without an alias. */
function tableIn(node: OperationNode | undefined): string {
  const { table, node: aliased } = node as unknown as {
    table?: { schema?: { name: string }; identifier: { name: string } };
    node?: OperationNode;
  };
  return table ? `${table.schema?.name}.${table.identifier.name}` : tableIn(aliased);
}
