// D1 migrations, recorded as `wrangler d1 migrations apply --local` records them, so that either can go on from the other.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { unstable_splitSqlQuery } from "wrangler";

/** Applies what is missing to every D1 database of the Worker, in order. Answers the names of what was applied. */
export async function applyMigrations(miniflare, config) {
  const applied = [];
  for (const database of config.d1_databases ?? []) {
    const directory = resolve(dirname(config.configPath), database.migrations_dir ?? "migrations");
    if (!existsSync(directory)) continue;
    const d1 = await miniflare.getD1Database(database.binding, config.name);
    applied.push(...(await applyTo(d1, directory, database.migrations_table ?? "d1_migrations")));
  }
  return applied;
}

async function applyTo(d1, directory, table) {
  const quoted = `"${table.replaceAll('"', '""')}"`;
  await d1
    .prepare(
      `CREATE TABLE IF NOT EXISTS ${quoted} (
         id INTEGER PRIMARY KEY AUTOINCREMENT,
         name TEXT UNIQUE,
         applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
       )`,
    )
    .run();
  const { results } = await d1.prepare(`SELECT name FROM ${quoted}`).all();
  const done = new Set(results.map(({ name }) => name));
  const missing = migrationNames(readdirSync(directory)).filter((name) => !done.has(name));

  for (const name of missing) {
    const statements = unstable_splitSqlQuery(readFileSync(join(directory, name), "utf8"));
    try {
      // One batch is one transaction: a migration is applied and recorded, or neither.
      await d1.batch([
        ...statements.map((statement) => d1.prepare(statement)),
        d1.prepare(`INSERT INTO ${quoted} (name) VALUES (?)`).bind(name),
      ]);
    } catch (cause) {
      throw new Error(`migration ${join(directory, name)} failed: ${cause.message}`, { cause });
    }
  }
  return missing;
}

/** The migrations among the names of a directory, in wrangler's order: by leading number, then by name. */
export function migrationNames(files) {
  return files
    .filter((name) => name.endsWith(".sql"))
    .map((name) => ({ name, number: Number.parseInt(name.split("_")[0], 10) }))
    .sort((a, b) => orderOf(a.number) - orderOf(b.number) || (a.name < b.name ? -1 : 1))
    .map(({ name }) => name);
}

function orderOf(number) {
  return Number.isNaN(number) ? Number.MAX_SAFE_INTEGER : number;
}
