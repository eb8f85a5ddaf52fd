//! A [`Database`] that is SQLite in memory, for tests of what D1 or a Durable Object keeps in production.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use edge_ai_core::{Database, Error, ErrorKind, Result, Row, SqlValue, Statement};
use rusqlite::Connection;
use rusqlite::types::{Value as Sql, ValueRef};
use serde_json::Value;

/// SQLite in memory; clones are the same database.
///
/// ```
/// use edge_ai_testkit::sqlite::Sqlite;
///
/// let database = Sqlite::new(&["CREATE TABLE words (word TEXT)"]);
/// database.execute("INSERT INTO words VALUES ('edge')");
/// assert_eq!(database.rows("SELECT word FROM words")[0]["word"], "edge");
/// ```
#[derive(Clone, Debug)]
pub struct Sqlite {
    connection: Arc<Mutex<Connection>>,
    batches: Arc<AtomicU32>,
    down: Arc<AtomicBool>,
}

impl Sqlite {
    /// A database with the tables that `migrations` make.
    ///
    /// # Panics
    /// When a migration fails; so for every method that takes SQL: a test fails by panicking.
    pub fn new(migrations: &[&str]) -> Self {
        let database = Self {
            connection: Arc::new(Mutex::new(sound(Connection::open_in_memory()))),
            batches: Arc::default(),
            down: Arc::default(),
        };
        for migration in migrations {
            database.execute(migration);
        }
        database
    }

    /// A database with the tables that the `.sql` files of a folder make, in the order of their names.
    ///
    /// # Panics
    /// When a file does not read, and as [`new`](Self::new).
    pub fn migrated(folder: impl AsRef<Path>) -> Self {
        let mut files: Vec<_> = sound(std::fs::read_dir(folder))
            .map(|entry| sound(entry).path())
            .collect();
        files.sort();
        let files: Vec<_> = files
            .into_iter()
            .map(|file| sound(std::fs::read_to_string(file)))
            .collect();
        Self::new(&files.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Runs SQL that gives nothing.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub fn execute(&self, sql: &str) {
        sound(self.lock().execute_batch(sql));
    }

    /// The rows of a query.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub fn rows(&self, sql: &str) -> Vec<Row> {
        let statement = Statement::new(sql.to_owned(), []);
        sound(self.run(&[statement])).pop().unwrap_or_default()
    }

    /// Every value of a table, as text; to look for what must not be there.
    ///
    /// # Panics
    /// When there is no such table.
    pub fn dump(&self, table: &str) -> String {
        self.rows(&format!("SELECT * FROM {table}"))
            .iter()
            .map(|row| format!("{row:?}\n"))
            .collect()
    }

    /// How many batches have been asked for.
    pub fn batches(&self) -> u32 {
        self.batches.load(Ordering::Relaxed)
    }

    /// Lets every batch fail from now on, or no longer.
    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::Relaxed);
    }

    fn run(&self, statements: &[Statement]) -> rusqlite::Result<Vec<Vec<Row>>> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let mut all = Vec::new();
        for statement in statements {
            let values = statement.values.iter().map(|value| match value {
                SqlValue::Integer(number) => Sql::Integer(*number),
                SqlValue::Real(number) => Sql::Real(*number),
                SqlValue::Text(text) => Sql::Text(text.clone()),
                _ => Sql::Null,
            });
            let mut prepared = transaction.prepare(&statement.sql)?;
            let names: Vec<_> = prepared.column_names().into_iter().map(str::to_owned).collect();
            let rows = prepared.query_map(rusqlite::params_from_iter(values), |row| read(row, &names))?;
            all.push(rows.collect::<rusqlite::Result<_>>()?);
        }
        transaction.commit()?;
        Ok(all)
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Database for Sqlite {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Vec<Row>>> {
        self.batches.fetch_add(1, Ordering::Relaxed);
        if self.down.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Unavailable, "the database is out"));
        }
        self.run(&statements).map_err(|error| {
            let message = error.to_string();
            let outdated = ["no such table", "no column named", "no such column"]
                .iter()
                .any(|text| message.contains(text));
            let kind = if outdated {
                ErrorKind::Configuration
            } else {
                ErrorKind::Unavailable
            };
            Error::new(kind, message)
        })
    }
}

fn read(row: &rusqlite::Row<'_>, names: &[String]) -> rusqlite::Result<Row> {
    let mut read = Row::new();
    for (at, name) in names.iter().enumerate() {
        let value = match row.get_ref(at)? {
            ValueRef::Integer(number) => number.into(),
            ValueRef::Real(number) => number.into(),
            ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned().into(),
            _ => Value::Null,
        };
        read.insert(name.clone(), value);
    }
    Ok(read)
}

#[expect(clippy::panic, reason = "a test fails by panicking")]
fn sound<T, E: std::fmt::Display>(result: std::result::Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("SQLite: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::database::{DatabaseSubject, cases};

    #[test]
    fn keeps_the_contract() {
        let subject = || DatabaseSubject::new(Sqlite::new(&[]));
        futures_executor::block_on(crate::run(cases(), subject)).assert_passed();
    }
}
