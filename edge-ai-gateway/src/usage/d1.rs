use async_trait::async_trait;
use edge_ai_core::{
    Database, Error, ErrorKind, Money, Result, SqlValue, Statement, Usage, UsageRecord, UsageSink,
};
use edge_ai_worker::{D1, EnvExt};
use worker::D1Database;

/// Keeps records in the table `usage_records` of a D1 database, and counters of them beside it.
///
/// The tables are made by the migrations [`MIGRATION`](Self::MIGRATION), [`MIGRATION_KEY`](Self::MIGRATION_KEY),
/// [`MIGRATION_COUNTERS`](Self::MIGRATION_COUNTERS), [`MIGRATION_VARIANT`](Self::MIGRATION_VARIANT) and
/// [`MIGRATION_GUARDS`](Self::MIGRATION_GUARDS), in this order. A record is written and counted in one transaction, once: an identifier that is there
/// already is left as it is.
#[derive(Debug)]
pub struct D1UsageLog(D1);

impl D1UsageLog {
    /// The SQL that makes the table, for `migrations/` of a Worker.
    pub const MIGRATION: &str = include_str!("d1.sql");

    /// The SQL that adds the column of the key, for the migration after it.
    pub const MIGRATION_KEY: &str = include_str!("d1_key.sql");

    /// The SQL that adds traces and the counters, for the migration after that.
    pub const MIGRATION_COUNTERS: &str = include_str!("d1_counters.sql");

    /// The SQL that adds the column of experiments' variants, for the migration after that.
    pub const MIGRATION_VARIANT: &str = include_str!("d1_variant.sql");

    /// The SQL that adds what guards found, for the last one.
    pub const MIGRATION_GUARDS: &str = include_str!("d1_guards.sql");

    const INSERT: &str = "INSERT INTO usage_records (request_id, time_ms, tenant, key, operation, requested_model, provider, model, \
         stream, outcome, error, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, cost_nano_dollars, \
         latency_ms, time_to_first_token_ms, cache, attempts, warnings, metadata, usage_estimated, saved_nano_dollars, finish_reason, \
         trace_id, span_id, parent_span_id, variant, guards) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, \
         ?27, ?28, ?29, ?30, ?31) ON CONFLICT (request_id) DO NOTHING";

    /// Keeps records in `database`.
    pub const fn new(database: D1Database) -> Self {
        Self(D1::new(database))
    }

    /// Keeps records in the database that is bound under a name.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when there is none, with what to add to the Worker's configuration.
    pub fn from_env(env: &worker::Env, binding: &str) -> Result<Self> {
        env.required_d1(binding).map(Self::new)
    }

    fn insert(record: &UsageRecord) -> Result<Statement> {
        let json = |value: serde_json::Result<String>| {
            value.map(SqlValue::from).map_err(|error| {
                Error::new(ErrorKind::Internal, "a record cannot be written").with_source(error)
            })
        };
        let usage = record.usage.as_ref();
        let tokens = |of: fn(&Usage) -> u64| SqlValue::from(usage.map(of));
        let money = |amount: Option<Money>| {
            amount.map_or(SqlValue::Null, |amount| {
                SqlValue::Integer(amount.as_nano_dollars())
            })
        };
        let trace = record.trace.as_ref();
        Ok(Statement::new(
            Self::INSERT,
            [
                SqlValue::from(&*record.request_id),
                record.time.as_millis().into(),
                record.tenant.as_deref().into(),
                record.key.as_deref().into(),
                record.operation.as_str().into(),
                SqlValue::from(&*record.requested_model),
                record.provider.as_deref().into(),
                record.model.as_deref().into(),
                record.stream.into(),
                record.outcome.as_str().into(),
                record.error.as_deref().into(),
                tokens(|usage| usage.input_tokens),
                tokens(|usage| usage.output_tokens),
                tokens(|usage| usage.cache_read_tokens),
                tokens(|usage| usage.cache_write_tokens),
                tokens(|usage| usage.reasoning_tokens),
                money(record.cost),
                record.latency_ms.into(),
                record.time_to_first_token_ms.into(),
                record.cache.map(|status| status.as_str()).into(),
                json(serde_json::to_string(&record.attempts))?,
                json(serde_json::to_string(&record.warnings))?,
                json(serde_json::to_string(&record.metadata))?,
                record.usage_estimated.into(),
                money(record.saved),
                record.finish_reason.as_deref().into(),
                trace.map(|trace| trace.trace_id.to_string()).into(),
                trace.map(|trace| trace.span_id.to_string()).into(),
                trace
                    .and_then(|trace| trace.parent_id)
                    .map(|id| id.to_string())
                    .into(),
                record.variant.as_deref().into(),
                json(serde_json::to_string(&record.guards))?,
            ],
        ))
    }
}

#[async_trait]
impl UsageSink for D1UsageLog {
    async fn record(&self, record: &UsageRecord) -> Result<()> {
        self.record_all(std::slice::from_ref(record)).await
    }

    async fn record_all(&self, records: &[UsageRecord]) -> Result<()> {
        let statements = records.iter().map(Self::insert).collect::<Result<Vec<_>>>()?;
        if statements.is_empty() {
            return Ok(());
        }
        self.0.batch(statements).await.map(drop)
    }
}
