use std::cell::RefCell;

use edge_ai_core::{Clock, LeaseAsk, LeaseLedger, LeaseTerms, Timestamp};
use edge_ai_worker::WorkerClock;
use serde::{Deserialize, Serialize};
use worker::wasm_bindgen;
use worker::{DurableObject, Env, Request, Response, SqlStorageValue, State, durable_object};

/// The Durable Object behind [`DurableLeases`](crate::DurableLeases): the book of one rule under one key, in its SQLite storage, so that it outlives eviction and restarts.
///
/// A Worker exports it by `pub use edge_ai_gateway::LimitOffice;` and configures it:
///
/// ```jsonc
/// "durable_objects": { "bindings": [{ "name": "LIMITS", "class_name": "LimitOffice" }] },
/// "migrations": [{ "tag": "limits", "new_sqlite_classes": ["LimitOffice"] }]
/// ```
///
/// An object whose book no longer matters empties its storage by an alarm.
#[durable_object(alarm)]
#[derive(Debug)]
pub struct LimitOffice {
    state: State,
    book: RefCell<Option<Book>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Book {
    terms: LeaseTerms,
    ledger: LeaseLedger,
    /// When the next alarm is, and when there is nothing left to keep.
    alarm: Timestamp,
    stale: Timestamp,
}

impl DurableObject for LimitOffice {
    fn new(state: State, _: Env) -> Self {
        Self {
            state,
            book: RefCell::default(),
        }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let text = request.text().await?;
        let ask: LeaseAsk = match serde_json::from_str(&text) {
            Ok(ask) => ask,
            Err(error) => return Response::error(format!("not a question for a lease: {error}"), 400),
        };
        let now = WorkerClock.now();
        let mut book = self.load()?.unwrap_or_else(|| Book::new(ask.terms));
        let grant = book.ledger.ask(now, &ask);
        book.terms = ask.terms;
        book.stale = book.ledger.stale_at(&ask.terms, now);
        let alarm = (book.alarm <= now).then_some(book.stale);
        book.alarm = alarm.unwrap_or(book.alarm);
        // The answer leaves when the book is written: https://developers.cloudflare.com/durable-objects/reference/in-memory-state/
        self.keep(book)?;
        if let Some(time) = alarm {
            self.ring_at(time).await?;
        }
        Response::ok(serde_json::to_string(&grant)?)
    }

    async fn alarm(&self) -> worker::Result<Response> {
        let now = WorkerClock.now();
        match self.load()? {
            Some(mut book) if book.stale > now => {
                book.alarm = book.stale;
                let time = book.stale;
                self.keep(book)?;
                self.ring_at(time).await?;
            }
            _ => {
                self.book.take();
                self.state.storage().delete_all().await?;
            }
        }
        Response::empty()
    }
}

impl LimitOffice {
    fn load(&self) -> worker::Result<Option<Book>> {
        #[derive(Deserialize)]
        struct Row {
            book: String,
        }
        if let Some(book) = &*self.book.borrow() {
            return Ok(Some(book.clone()));
        }
        let sql = self.state.storage().sql();
        sql.exec(
            "CREATE TABLE IF NOT EXISTS books (id INTEGER PRIMARY KEY, book TEXT NOT NULL)",
            None,
        )?;
        let rows: Vec<Row> = sql
            .exec("SELECT book FROM books WHERE id = 1", None)?
            .to_array()?;
        let book = rows
            .first()
            .map(|row| serde_json::from_str(&row.book))
            .transpose()?;
        self.book.borrow_mut().clone_from(&book);
        Ok(book)
    }

    fn keep(&self, book: Book) -> worker::Result<()> {
        let text = serde_json::to_string(&book)?;
        let sql = self.state.storage().sql();
        sql.exec(
            "CREATE TABLE IF NOT EXISTS books (id INTEGER PRIMARY KEY, book TEXT NOT NULL)",
            None,
        )?;
        sql.exec(
            "INSERT INTO books (id, book) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET book = excluded.book",
            Some(vec![SqlStorageValue::String(text)]),
        )?;
        self.book.replace(Some(book));
        Ok(())
    }

    async fn ring_at(&self, time: Timestamp) -> worker::Result<()> {
        let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let date = worker::js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(millis as f64));
        self.state
            .storage()
            .set_alarm(worker::ScheduledTime::new(date))
            .await
    }
}

impl Book {
    fn new(terms: LeaseTerms) -> Self {
        Self {
            terms,
            ledger: LeaseLedger::default(),
            alarm: Timestamp::default(),
            stale: Timestamp::default(),
        }
    }
}
