//! The tables behind keys and reports: SQLite's dialect over whatever runs it.

#[cfg(feature = "worker")]
mod d1;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use edge_ai_core::{Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

#[cfg(feature = "worker")]
pub use d1::D1;

/// A row: its columns by name.
pub type Row = Map<String, Value>;

/// A database that speaks SQLite's dialect: D1 in a Worker, SQLite itself elsewhere.
#[async_trait]
pub trait Database: fmt::Debug + Send + Sync + 'static {
    /// Runs statements in order, as one transaction: all of them or none. Gives the rows of each, also those of `RETURNING`.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when the database fails; [`ErrorKind::Configuration`] when a table is missing.
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Vec<Row>>>;
}

#[async_trait]
impl<T: Database + ?Sized> Database for Arc<T> {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Vec<Row>>> {
        (**self).batch(statements).await
    }
}

/// An SQL statement with values for its places `?1`, `?2`, …; text from outside goes into values alone.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Statement {
    /// The SQL.
    pub sql: Cow<'static, str>,
    /// The values, in order.
    pub values: Vec<SqlValue>,
}

impl Statement {
    /// A statement with its values.
    pub fn new(sql: impl Into<Cow<'static, str>>, values: impl Into<Vec<SqlValue>>) -> Self {
        Self {
            sql: sql.into(),
            values: values.into(),
        }
    }
}

/// A value of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SqlValue {
    /// `NULL`
    Null,
    /// A whole number, exact to 2^53 as JavaScript's are.
    Integer(i64),
    /// Text.
    Text(String),
}

impl From<&str> for SqlValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for SqlValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for SqlValue {
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<bool> for SqlValue {
    fn from(yes: bool) -> Self {
        Self::Integer(yes.into())
    }
}

impl<T: Into<Self>> From<Option<T>> for SqlValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The rows of a single statement.
pub(crate) async fn query(database: &dyn Database, statement: Statement) -> Result<Vec<Row>> {
    let mut rows = database.batch(vec![statement]).await?;
    Ok(rows.pop().unwrap_or_default())
}

/// A row as a type, by the names of its columns.
///
/// # Errors
/// [`ErrorKind::Configuration`] for a row that somebody else has written.
pub(crate) fn read<T: DeserializeOwned>(row: Row) -> Result<T> {
    serde_json::from_value(Value::Object(row)).map_err(|error| {
        Error::new(
            ErrorKind::Configuration,
            format!("a row of the database does not read: {error}"),
        )
    })
}
