use async_trait::async_trait;
use edge_ai_core::{Database, Error, ErrorKind, Result, Row, SqlValue, Statement};
use worker::send::SendFuture;
use worker::{D1Database, D1Type};

use crate::object_database::lacks_a_table;
use crate::{EnvExt, worker_error};

/// A [`Database`] in Cloudflare's D1.
#[derive(Debug)]
pub struct D1(D1Database);

impl D1 {
    /// The database behind a binding.
    pub const fn new(database: D1Database) -> Self {
        Self(database)
    }

    /// The database that is bound under a name.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when there is none, with what to add to the Worker's configuration.
    pub fn from_env(env: &worker::Env, binding: &str) -> Result<Self> {
        env.required_d1(binding).map(Self)
    }
}

#[async_trait]
impl Database for D1 {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Vec<Row>>> {
        let prepared = statements.iter().map(|statement| {
            let values: Vec<_> = statement.values.iter().map(bound).collect();
            self.0.prepare(&*statement.sql).bind_refs(&values)
        });
        let prepared = prepared.collect::<worker::Result<_>>().map_err(failed)?;
        let results = SendFuture::new(self.0.batch(prepared)).await.map_err(failed)?;
        let rows = results.into_iter().map(|result| match result.error() {
            None => result.results().map_err(failed),
            Some(error) => Err(failed(worker::Error::RustError(error))),
        });
        rows.collect()
    }
}

fn bound(value: &SqlValue) -> D1Type<'_> {
    match value {
        // JavaScript's numbers are exact up to 2^53.
        SqlValue::Integer(number) => D1Type::Real(*number as f64),
        SqlValue::Real(number) => D1Type::Real(*number),
        SqlValue::Text(text) => D1Type::Text(text),
        _ => D1Type::Null,
    }
}

/// What D1 said, told apart by its remedy.
fn failed(error: worker::Error) -> Error {
    let error = worker_error(ErrorKind::Unavailable, error).with_context("D1");
    if lacks_a_table(error.message()) {
        let message = format!(
            "{}; apply the Worker's migrations: wrangler d1 migrations apply",
            error.message()
        );
        return Error::new(ErrorKind::Configuration, message);
    }
    error
}
