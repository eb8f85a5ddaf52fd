import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { applyMigrations, migrationNames } from "./migrations.mjs";

const root = mkdtempSync(join(tmpdir(), "migrations-"));
const config = {
  name: "worker",
  configPath: join(root, "wrangler.jsonc"),
  d1_databases: [{ binding: "DB", migrations_dir: "." }],
};
let miniflare;
let db;

before(async () => {
  const script = "export default { fetch() { return new Response(); } }";
  miniflare = new Miniflare(
    convertV4MiniflareOptions({ workers: [{ name: "worker", modules: true, script, d1Databases: ["DB"] }], cf: false }),
  );
  db = await miniflare.getD1Database("DB");
});

after(async () => {
  await miniflare.dispose();
  rmSync(root, { recursive: true });
});

test("migrations go by their number, not by their spelling", () => {
  const files = ["10_c.sql", "2_b.sql", "0001_a.sql", "note.md", "later.sql"];
  assert.deepEqual(migrationNames(files), ["0001_a.sql", "2_b.sql", "10_c.sql", "later.sql"]);
});

test("each is applied once, statements with semicolons of their own included", async () => {
  writeFileSync(
    join(root, "0001_hits.sql"),
    `-- one; two
     CREATE TABLE hits (path TEXT);
     CREATE TRIGGER seen AFTER INSERT ON hits BEGIN UPDATE hits SET path = path || ';'; END;`,
  );
  assert.deepEqual(await applyMigrations(miniflare, config), ["0001_hits.sql"]);
  assert.deepEqual(await applyMigrations(miniflare, config), []);
  await db.exec("INSERT INTO hits VALUES ('a')");
  assert.equal(await db.prepare("SELECT path FROM hits").first("path"), "a;");
});

test("one that fails leaves nothing behind, names its file, and is tried again", async () => {
  const file = join(root, "0002_more.sql");
  writeFileSync(file, "CREATE TABLE more (x TEXT); INSERT INTO nowhere VALUES (1);");
  await assert.rejects(applyMigrations(miniflare, config), /0002_more\.sql failed: .*nowhere/);
  writeFileSync(file, "CREATE TABLE more (x TEXT);");
  assert.deepEqual(await applyMigrations(miniflare, config), ["0002_more.sql"]);
});
