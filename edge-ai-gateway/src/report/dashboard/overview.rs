use std::sync::Arc;

use edge_ai_core::{Database, Result, Row, Statement};
use serde_json::{Value, json};

use super::Asked;
use super::range::{MOST, Range};
use crate::report::column::{number, text};
use crate::report::latency::{DURATION, FIRST, counts, quantile};

/// `GET /dashboard/api/overview?range=1h|24h|7d|30d`
pub(super) async fn read(database: Arc<dyn Database>, asked: Asked) -> Result<Value> {
    let results = database.batch(queries(asked.range, asked.now_ms)).await?;
    let mut results = results.into_iter();
    let mut next = || results.next().unwrap_or_default();
    let (from, to) = asked.range.span(asked.now_ms);
    let step = asked.range.step();
    let series = next();
    let (providers, errors, models, tenants, keys, cache) = (next(), next(), next(), next(), next(), next());
    let mut whole = Totals::default();
    series.iter().for_each(|row| whole.add(row));
    // Every step has its point, those without a request as well.
    let points = (from..to)
        .step_by(usize::try_from(step).unwrap_or(usize::MAX))
        .map(|at| {
            let mut totals = Totals::default();
            series
                .iter()
                .filter(|row| number(row, "at") == at)
                .for_each(|row| totals.add(row));
            let mut point = totals.to_json();
            point.insert("at".to_owned(), at.into());
            point
        });
    let named = |rows: &[Row], names: &[&str]| -> Vec<Row> {
        let entry = |row: &Row| {
            let mut totals = Totals::default();
            totals.add(row);
            let mut entry = totals.to_json();
            for name in names {
                entry.insert((*name).to_owned(), text(row, name).into());
            }
            entry
        };
        rows.iter().map(entry).collect()
    };
    let errors = errors.iter().map(|row| {
        json!({ "provider": text(row, "provider"), "kind": text(row, "outcome"), "requests": number(row, "requests") })
    });
    Ok(json!({
        "from": from, "to": to, "step": step,
        "partial": asked.range == Range::Hour && whole.requests >= MOST,
        "totals": whole.to_json(),
        "series": points.collect::<Vec<_>>(),
        "providers": named(&providers, &["provider"]),
        "errors": errors.collect::<Vec<_>>(),
        "models": named(&models, &["provider", "model"]),
        "tenants": named(&tenants, &["tenant"]),
        "keys": named(&keys, &["key"]),
        "saved_ms": cache.iter().map(saved_ms).sum::<u64>(),
    }))
}

/// What is added up of any group of requests.
const FREE: &str = "cache IN ('hit', 'stale', 'coalesced', 'semantic')";

fn queries(range: Range, now_ms: u64) -> Vec<Statement> {
    let (source, time) = range.source();
    let mut sums = format!(
        "sum(requests) AS requests, sum(CASE outcome WHEN 'ok' THEN 0 ELSE requests END) AS errors, \
         sum(CASE WHEN {FREE} AND outcome = 'ok' THEN requests ELSE 0 END) AS hits"
    );
    let measures = [
        "attempts",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "reasoning_tokens",
        "cost_nano_dollars",
        "saved_nano_dollars",
        "unpriced",
        "estimated",
    ];
    for column in measures.iter().chain(&DURATION).chain(&FIRST) {
        sums.push_str(&format!(", sum({column}) AS {column}"));
    }
    let query = |text: String| Statement::new(text, range.values(now_ms));
    let top = |column: &str| {
        query(format!(
            "SELECT {column}, {sums} FROM {source} WHERE {column} <> '' GROUP BY {column} ORDER BY cost_nano_dollars DESC, requests DESC LIMIT 10"
        ))
    };
    let step = range.step();
    vec![
        query(format!(
            "SELECT {time} - {time} % {step} AS at, {sums} FROM {source} GROUP BY at ORDER BY at"
        )),
        query(format!(
            "SELECT provider, {sums} FROM {source} WHERE provider <> '' GROUP BY provider ORDER BY requests DESC LIMIT 20"
        )),
        query(format!(
            "SELECT provider, outcome, sum(requests) AS requests FROM {source} WHERE outcome <> 'ok' GROUP BY provider, outcome \
             ORDER BY requests DESC LIMIT 40"
        )),
        query(format!(
            "SELECT provider, model, {sums} FROM {source} WHERE provider <> '' GROUP BY provider, model \
             ORDER BY cost_nano_dollars DESC, requests DESC LIMIT 10"
        )),
        top("tenant"),
        top("key"),
        query(format!(
            "SELECT sum(CASE WHEN {FREE} THEN requests ELSE 0 END) AS hits, sum(CASE WHEN {FREE} THEN latency_ms ELSE 0 END) AS hit_ms, \
             sum(CASE WHEN {FREE} THEN 0 ELSE requests END) AS misses, sum(CASE WHEN {FREE} THEN 0 ELSE latency_ms END) AS miss_ms \
             FROM {source} WHERE outcome = 'ok' GROUP BY operation, model"
        )),
    ]
}

/// About how long the callers of a model would have waited longer without the cache: as long as those did whom it had no answer for.
fn saved_ms(row: &Row) -> u64 {
    let (hits, misses) = (number(row, "hits"), number(row, "misses"));
    let mean = number(row, "miss_ms").checked_div(misses).unwrap_or_default();
    mean.saturating_mul(hits).saturating_sub(number(row, "hit_ms"))
}

#[derive(Default)]
struct Totals {
    requests: u64,
    errors: u64,
    hits: u64,
    attempts: u64,
    input: u64,
    output: u64,
    cache_read: u64,
    reasoning: u64,
    cost: u64,
    saved: u64,
    unpriced: u64,
    estimated: u64,
    duration: [u64; 15],
    first: [u64; 15],
}

impl Totals {
    fn add(&mut self, row: &Row) {
        for (sum, column) in [
            (&mut self.requests, "requests"),
            (&mut self.errors, "errors"),
            (&mut self.hits, "hits"),
            (&mut self.attempts, "attempts"),
            (&mut self.input, "input_tokens"),
            (&mut self.output, "output_tokens"),
            (&mut self.cache_read, "cache_read_tokens"),
            (&mut self.reasoning, "reasoning_tokens"),
            (&mut self.cost, "cost_nano_dollars"),
            (&mut self.saved, "saved_nano_dollars"),
            (&mut self.unpriced, "unpriced"),
            (&mut self.estimated, "estimated"),
        ] {
            *sum = sum.saturating_add(number(row, column));
        }
        for (sums, columns) in [(&mut self.duration, &DURATION), (&mut self.first, &FIRST)] {
            for (sum, count) in sums.iter_mut().zip(counts(row, columns)) {
                *sum = sum.saturating_add(count);
            }
        }
    }

    fn to_json(&self) -> Row {
        let quantiles = |counts| json!({ "p50": quantile(counts, 0.5), "p95": quantile(counts, 0.95), "p99": quantile(counts, 0.99) });
        let fields: [(&str, Value); 14] = [
            ("requests", self.requests.into()),
            ("errors", self.errors.into()),
            ("hits", self.hits.into()),
            ("attempts", self.attempts.into()),
            ("input_tokens", self.input.into()),
            ("output_tokens", self.output.into()),
            ("cache_read_tokens", self.cache_read.into()),
            ("reasoning_tokens", self.reasoning.into()),
            ("cost_nano_dollars", self.cost.into()),
            ("saved_nano_dollars", self.saved.into()),
            ("unpriced", self.unpriced.into()),
            ("estimated", self.estimated.into()),
            ("duration_ms", quantiles(&self.duration)),
            ("first_token_ms", quantiles(&self.first)),
        ];
        fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}
