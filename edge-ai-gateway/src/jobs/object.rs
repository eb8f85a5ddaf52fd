#![expect(missing_docs, reason = "the macro makes the runtime's methods public")]
#![expect(
    clippy::future_not_send,
    reason = "the runtime asks an object on its one thread"
)]

use async_trait::async_trait;
use bytes::Bytes;
use edge_ai_core::{Clock, Error, ErrorKind, HttpClient, Secret};
use edge_ai_worker::{EnvExt, FetchClient, Level, WorkerClock, log, worker_error};
use worker::send::SendFuture;
use worker::{
    DurableObject, Env, Request, Response, Result, SqlStorage, SqlStorageValue, State, durable_object,
};

use super::host::{Host, keep_up, wake};
use super::serve::serve_any;
use super::storage::Storage;

/// The Durable Object class that keeps long work: one object for each job and each batch.
///
/// A Worker exports it with one line, and names it and the queue in its configuration. The object finds the queue as `JOB_QUEUE` and, for webhooks, the
/// secret `WEBHOOK_SECRET`.
///
/// ```ignore
/// pub use edge_ai::gateway::JobObject;
/// ```
///
/// ```jsonc
/// "durable_objects": { "bindings": [{ "name": "JOBS", "class_name": "JobObject" }] },
/// "migrations": [{ "tag": "long-work", "new_sqlite_classes": ["JobObject"] }],
/// "queues": {
///   "producers": [{ "binding": "JOB_QUEUE", "queue": "edge-ai-jobs" }],
///   "consumers": [{ "queue": "edge-ai-jobs", "max_batch_size": 10, "max_batch_timeout": 1, "dead_letter_queue": "edge-ai-jobs-dead" }]
/// }
/// ```
#[durable_object(alarm)]
#[derive(Debug)]
pub struct JobObject {
    state: State,
    runtime: Runtime,
}

impl DurableObject for JobObject {
    fn new(state: State, env: Env) -> Self {
        let secret = env.text("WEBHOOK_SECRET").map(Secret::from);
        Self {
            state,
            runtime: Runtime { env, secret },
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let storage = Sql(self.state.storage().sql());
        let mut asked = http::Request::new(Bytes::from(request.bytes().await?));
        *asked.uri_mut() = request
            .url()?
            .as_str()
            .parse()
            .map_err(|_| "the address does not read")?;
        for (name, value) in request.headers().entries() {
            if let (Ok(name), Ok(value)) = (name.parse::<http::HeaderName>(), value.parse()) {
                asked.headers_mut().insert(name, value);
            }
        }
        let answer = serve_any(&storage, WorkerClock.now().as_millis(), &asked).map_err(failed)?;
        let next = keep_up(&storage, &self.runtime).await.map_err(failed)?;
        self.wake_at(next).await?;
        let response = Response::builder().with_status(answer.status().as_u16());
        Ok(response.fixed(answer.into_body().into()))
    }

    async fn alarm(&self) -> Result<Response> {
        let storage = Sql(self.state.storage().sql());
        let next = wake(&storage, &self.runtime).await.map_err(failed)?;
        // Set last: an alarm that is set before a failure would take the place of the runtime's own retry.
        self.wake_at(next).await?;
        Response::empty()
    }
}

impl JobObject {
    async fn wake_at(&self, at: Option<u64>) -> Result<()> {
        let storage = self.state.storage();
        match at {
            Some(at) => {
                let wait = at.saturating_sub(WorkerClock.now().as_millis());
                storage.set_alarm(i64::try_from(wait).unwrap_or(i64::MAX)).await
            }
            None => {
                storage.delete_alarm().await?;
                storage.delete_all().await
            }
        }
    }
}

fn failed(error: Error) -> worker::Error {
    log(Level::Error, &format!("a job's object: {error}"));
    worker::Error::RustError(error.to_string())
}

#[derive(Debug)]
struct Runtime {
    env: Env,
    secret: Option<Secret>,
}

#[async_trait]
impl Host for Runtime {
    fn clock(&self) -> &dyn Clock {
        &WorkerClock
    }

    async fn dispatch(&self, id: &str) -> edge_ai_core::Result<()> {
        let queue = self.env.required_queue("JOB_QUEUE")?;
        SendFuture::new(queue.send::<String, String>(id.to_owned()))
            .await
            .map_err(|error| worker_error(ErrorKind::Unavailable, error).with_context("Queue"))
    }

    fn webhooks(&self) -> Option<(&dyn HttpClient, &Secret)> {
        self.secret
            .as_ref()
            .map(|secret| (&FetchClient as &dyn HttpClient, secret))
    }

    fn log(&self, line: &str) {
        log(Level::Error, line);
    }
}

/// The object's own SQLite database, as one table of names and values.
struct Sql(SqlStorage);

const MAKE: &str =
    "CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID";

impl Sql {
    fn rows(
        &self,
        query: &str,
        bindings: Vec<SqlStorageValue>,
    ) -> edge_ai_core::Result<Vec<Vec<SqlStorageValue>>> {
        let there = self
            .0
            .exec("SELECT name FROM sqlite_master WHERE name = 'kept'", None)
            .map_err(broken)?;
        // An object that keeps nothing must not begin to.
        if there.raw().next().is_none() {
            return Ok(Vec::new());
        }
        let found = self.0.exec(query, bindings).map_err(broken)?;
        found.raw().collect::<Result<_>>().map_err(broken)
    }
}

impl Storage for Sql {
    fn get(&self, name: &str) -> edge_ai_core::Result<Option<Vec<u8>>> {
        let rows = self.rows("SELECT value FROM kept WHERE name = ?", vec![name.into()])?;
        Ok(rows.into_iter().flatten().next().map(blob))
    }

    fn put(&self, name: &str, value: &[u8]) -> edge_ai_core::Result<()> {
        self.0.exec(MAKE, None).map_err(broken)?;
        let query = "INSERT INTO kept (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.0
            .exec(query, vec![name.into(), value.to_vec().into()])
            .map(drop)
            .map_err(broken)
    }

    fn list(&self, prefix: &str, after: &str, limit: usize) -> edge_ai_core::Result<Vec<(String, Vec<u8>)>> {
        let query =
            "SELECT name, value FROM kept WHERE name >= ? AND name < ? AND name > ? ORDER BY name LIMIT ?";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.rows(
            query,
            vec![prefix.into(), past(prefix).into(), after.into(), limit.into()],
        )?;
        let pair = |row: Vec<SqlStorageValue>| {
            let mut row = row.into_iter();
            match (row.next(), row.next()) {
                (Some(SqlStorageValue::String(name)), Some(value)) => Some((name, blob(value))),
                _ => None,
            }
        };
        Ok(rows.into_iter().filter_map(pair).collect())
    }

    fn delete(&self, prefix: &str) -> edge_ai_core::Result<()> {
        self.rows(
            "DELETE FROM kept WHERE name >= ? AND name < ?",
            vec![prefix.into(), past(prefix).into()],
        )
        .map(drop)
    }
}

/// After every name that begins with `prefix`.
fn past(prefix: &str) -> String {
    format!("{prefix}\u{10ffff}")
}

fn blob(value: SqlStorageValue) -> Vec<u8> {
    match value {
        SqlStorageValue::Blob(bytes) => bytes,
        _ => Vec::new(),
    }
}

fn broken(error: worker::Error) -> Error {
    worker_error(ErrorKind::Unavailable, error).with_context("Durable Object")
}
