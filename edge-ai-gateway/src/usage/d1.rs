use async_trait::async_trait;
use edge_ai_core::{Error, ErrorKind, Result, UsageRecord, UsageSink};
use edge_ai_worker::EnvExt;
use worker::send::SendFuture;
use worker::{D1Database, D1Type};

use crate::database::failed;

/// Keeps records in the table `usage_records` of a D1 database.
///
/// The table is made by the migrations [`D1UsageLog::MIGRATION`] and [`D1UsageLog::MIGRATION_KEY`], in this order. An identifier that is there already is left as it is.
#[derive(Debug)]
pub struct D1UsageLog(D1Database);

impl D1UsageLog {
    /// The SQL that makes the table, for `migrations/` of a Worker.
    pub const MIGRATION: &str = include_str!("d1.sql");

    /// The SQL that adds the column of the key, for the migration after it.
    pub const MIGRATION_KEY: &str = include_str!("d1_key.sql");

    const INSERT: &str = "INSERT OR IGNORE INTO usage_records (request_id, time_ms, tenant, key, operation, requested_model, provider, model, \
         stream, outcome, error, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, cost_nano_dollars, \
         latency_ms, time_to_first_token_ms, cache, attempts, warnings, metadata) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)";

    /// Keeps records in `database`.
    pub const fn new(database: D1Database) -> Self {
        Self(database)
    }

    /// Keeps records in the database that is bound under a name.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when there is none, with what to add to the Worker's configuration.
    pub fn from_env(env: &worker::Env, binding: &str) -> Result<Self> {
        env.required_d1(binding).map(Self)
    }

    async fn insert(&self, record: &UsageRecord) -> Result<()> {
        let json = |value: serde_json::Result<String>| {
            value.map_err(|error| {
                Error::new(ErrorKind::Internal, "a record cannot be written").with_source(error)
            })
        };
        let attempts = json(serde_json::to_string(&record.attempts))?;
        let warnings = json(serde_json::to_string(&record.warnings))?;
        let metadata = json(serde_json::to_string(&record.metadata))?;
        let usage = record.usage;
        let tokens =
            |of: fn(&edge_ai_core::Usage) -> u64| usage.as_ref().map(of).map_or(D1Type::Null, integer);
        let values = [
            D1Type::Text(&record.request_id),
            integer(record.time.as_millis()),
            text(record.tenant.as_deref()),
            text(record.key.as_deref()),
            D1Type::Text(record.operation.as_str()),
            D1Type::Text(&record.requested_model),
            text(record.provider.as_deref()),
            text(record.model.as_deref()),
            D1Type::Boolean(record.stream),
            D1Type::Text(record.outcome.as_str()),
            text(record.error.as_deref()),
            tokens(|usage| usage.input_tokens),
            tokens(|usage| usage.output_tokens),
            tokens(|usage| usage.cache_read_tokens),
            tokens(|usage| usage.cache_write_tokens),
            tokens(|usage| usage.reasoning_tokens),
            record
                .cost
                .map_or(D1Type::Null, |cost| D1Type::Real(cost.as_nano_dollars() as f64)),
            integer(record.latency_ms),
            record.time_to_first_token_ms.map_or(D1Type::Null, integer),
            text(record.cache.map(|status| status.as_str())),
            D1Type::Text(&attempts),
            D1Type::Text(&warnings),
            D1Type::Text(&metadata),
        ];
        let statement = self.0.prepare(Self::INSERT).bind_refs(&values).map_err(failed)?;
        let result = SendFuture::new(statement.run()).await.map_err(failed)?;
        match result.error() {
            None => Ok(()),
            Some(error) => Err(Error::new(ErrorKind::Unavailable, format!("D1: {error}"))),
        }
    }
}

/// JavaScript's numbers are exact up to 2^53, far above any of these.
fn integer(value: u64) -> D1Type<'static> {
    D1Type::Real(value as f64)
}

fn text(value: Option<&str>) -> D1Type<'_> {
    value.map_or(D1Type::Null, D1Type::Text)
}

#[async_trait]
impl UsageSink for D1UsageLog {
    async fn record(&self, record: &UsageRecord) -> Result<()> {
        SendFuture::new(self.insert(record)).await
    }
}
