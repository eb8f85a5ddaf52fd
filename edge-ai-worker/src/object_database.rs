use std::fmt;

use async_trait::async_trait;
use edge_ai_core::{Database, Error, ErrorKind, Result, Row, SqlValue, Statement};
use serde_json::{Value, json};
use wasm_bindgen::JsValue;
use worker::send::SendWrapper;
use worker::{SqlStorage, State};

use crate::bridge;
use crate::error::js_error;

/// A [`Database`] in a Durable Object's own SQLite: the SQL that runs on D1 runs here, beside the object's code and without a way to it.
///
/// A batch is one `transactionSync`
/// ([storage API](https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/#transactionsync)): all of it or nothing. The
/// object's class must be one with SQLite storage, `new_sqlite_classes` in the Worker's migrations.
///
/// ```
/// use edge_ai_worker::ObjectDatabase;
/// use worker::State;
///
/// const MIGRATIONS: &[&str] = &["CREATE TABLE notes (id INTEGER PRIMARY KEY, note TEXT NOT NULL)"];
///
/// fn notes(state: &State) -> edge_ai_core::Result<ObjectDatabase> {
///     let database = ObjectDatabase::new(state);
///     database.migrate(MIGRATIONS)?;
///     Ok(database)
/// }
/// ```
#[derive(Clone)]
pub struct ObjectDatabase {
    storage: SendWrapper<JsValue>,
    sql: SqlStorage,
}

impl ObjectDatabase {
    /// The database of the object with this state.
    pub fn new(state: &State) -> Self {
        let storage = state.storage();
        Self {
            storage: SendWrapper::new(storage.as_raw().into()),
            sql: storage.sql(),
        }
    }

    /// Runs those of the migrations that the database has not had yet, in their order; each may be several statements. What
    /// `wrangler d1 migrations apply` does for D1, an object does for itself, before it uses its tables: it costs one read when there is nothing to
    /// do. A list only ever grows at its end.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when one fails; then none of them has run.
    pub fn migrate(&self, migrations: &[&str]) -> Result<()> {
        const TABLE: &str = "CREATE TABLE IF NOT EXISTS applied_migrations (number INTEGER PRIMARY KEY)";
        const COUNT: &str = "SELECT COUNT(*) AS applied FROM applied_migrations";
        let counted = self.run(&[Statement::new(TABLE, []), Statement::new(COUNT, [])])?;
        let applied = counted
            .last()
            .and_then(|rows| rows.first()?.get("applied")?.as_u64());
        let applied = usize::try_from(applied.unwrap_or(0)).unwrap_or(usize::MAX);
        let mut statements = Vec::new();
        for (number, migration) in migrations.iter().enumerate().skip(applied) {
            statements.push(Statement::new((*migration).to_owned(), []));
            let number = vec![SqlValue::from(number as u64)];
            statements.push(Statement::new(
                "INSERT INTO applied_migrations VALUES (?1)",
                number,
            ));
        }
        if statements.is_empty() {
            return Ok(());
        }
        self.run(&statements).map(drop)
    }

    /// The database itself, for values that a [`Statement`] has not, such as blobs.
    pub const fn sql(&self) -> &SqlStorage {
        &self.sql
    }

    /// Runs `body` as one transaction: when it fails, nothing of what it has written is kept.
    ///
    /// # Errors
    /// That of `body`; [`ErrorKind::Unavailable`] when the database fails.
    pub fn transaction<T>(&self, body: impl FnOnce(&SqlStorage) -> Result<T>) -> Result<T> {
        let mut body = Some(body);
        let mut done = None;
        let ran = bridge::sql_transaction(&self.storage, &mut || {
            done = body.take().map(|body| body(&self.sql));
            matches!(done, Some(Ok(_)))
        });
        ran.map_err(|thrown| failed(&thrown))?;
        done.unwrap_or_else(|| Err(Error::new(ErrorKind::Unavailable, "the transaction has not run")))
    }

    fn run(&self, statements: &[Statement]) -> Result<Vec<Vec<Row>>> {
        let statements: Value = statements.iter().map(as_json).collect();
        let rows =
            bridge::sql_batch(&self.storage, &statements.to_string()).map_err(|thrown| failed(&thrown))?;
        serde_json::from_slice(&rows)
            .map_err(|error| Error::new(ErrorKind::Internal, "rows do not read").with_source(error))
    }
}

#[async_trait]
impl Database for ObjectDatabase {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Vec<Row>>> {
        self.run(&statements)
    }
}

impl fmt::Debug for ObjectDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectDatabase").finish_non_exhaustive()
    }
}

fn as_json(statement: &Statement) -> Value {
    let value = |value: &SqlValue| match value {
        SqlValue::Integer(number) => json!(number),
        SqlValue::Real(number) => json!(number),
        SqlValue::Text(text) => json!(text),
        _ => Value::Null,
    };
    let values: Vec<Value> = statement.values.iter().map(value).collect();
    json!({"sql": statement.sql, "values": values})
}

fn failed(thrown: &JsValue) -> Error {
    let error = js_error(ErrorKind::Unavailable, thrown).with_context("Durable Object");
    if lacks_a_table(error.message()) {
        let message = format!(
            "{}; make the object's tables first, by `ObjectDatabase::migrate`",
            error.message()
        );
        return Error::new(ErrorKind::Configuration, message);
    }
    error
}

/// Whether SQLite says that the tables are not those that a statement is for.
pub(crate) fn lacks_a_table(message: &str) -> bool {
    ["no such table", "no column named", "no such column"]
        .iter()
        .any(|text| message.contains(text))
}
