use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Error, ErrorKind, JsonObject, Result};

/// A database that speaks SQLite's dialect: D1 in a Worker, a Durable Object's own, SQLite itself elsewhere.
///
/// Its tables are made by the migrations that whoever uses it publishes.
#[async_trait]
pub trait Database: fmt::Debug + Send + Sync + 'static {
    /// Runs statements in order, as one transaction: all of them or none. Gives the rows of each, also those of `RETURNING`.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when the database fails; [`ErrorKind::Configuration`] when a table is missing.
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Vec<Row>>>;

    /// The rows of one statement.
    ///
    /// # Errors
    /// As [`batch`](Self::batch).
    async fn query(&self, statement: Statement) -> Result<Vec<Row>> {
        let mut rows = self.batch(vec![statement]).await?;
        Ok(rows.pop().unwrap_or_default())
    }
}

#[async_trait]
impl<T: Database + ?Sized> Database for Arc<T> {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Vec<Row>>> {
        (**self).batch(statements).await
    }
}

/// A row of a [`Database`]: its columns by name.
pub type Row = JsonObject;

/// A row as a type, by the names of its columns.
///
/// # Errors
/// [`ErrorKind::Configuration`] for a row that somebody else has written.
pub fn read_row<T: DeserializeOwned>(row: Row) -> Result<T> {
    serde_json::from_value(Value::Object(row)).map_err(|error| {
        Error::new(
            ErrorKind::Configuration,
            format!("a row of the database does not read: {error}"),
        )
    })
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
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SqlValue {
    /// `NULL`
    Null,
    /// A whole number, exact below 2^53 as JavaScript's are.
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
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

impl From<f64> for SqlValue {
    fn from(number: f64) -> Self {
        Self::Real(number)
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
