#![expect(missing_docs, reason = "the macro makes the runtime's methods public")]
#![expect(
    clippy::future_not_send,
    reason = "the runtime asks an object on its one thread"
)]

use std::cell::RefCell;

use edge_ai_core::{Error, ErrorKind, Result};
use edge_ai_worker::{Level, ObjectDatabase, log, worker_error};
use worker::{DurableObject, Env, Request, Response, SqlStorageValue, State, durable_object, wasm_bindgen};

use super::serve::Vectors;
use super::shelf::Shelf;
use super::wire::Refusal;
use crate::store::resident::{Elsewhere, Kept, ROWS, numbers};

/// The Durable Object class that keeps vectors and searches them, for [`ObjectVectorStore`](crate::ObjectVectorStore).
///
/// A Worker exports it with one line, and names it in its configuration:
///
/// ```ignore
/// pub use edge_ai_rag::VectorObject;
/// ```
///
/// ```jsonc
/// "durable_objects": { "bindings": [{ "name": "VECTORS", "class_name": "VectorObject" }] },
/// "migrations": [{ "tag": "vectors", "new_sqlite_classes": ["VectorObject"] }]
/// ```
///
/// A row of its database has up to 64 vectors. Rows that are written are what storage is billed by
/// ([pricing](https://developers.cloudflare.com/durable-objects/platform/pricing/#sqlite-storage-backend)): 50,000 vectors that come by the hundred are some
/// 1,300 of them, where a row and its entry in an index for each would be 100,000; and an object that wakes reads 782 rows.
#[durable_object]
#[derive(Debug)]
pub struct VectorObject {
    shelf: Disk,
    vectors: RefCell<Vectors>,
}

impl DurableObject for VectorObject {
    fn new(state: State, _: Env) -> Self {
        Self {
            shelf: Disk(ObjectDatabase::new(&state)),
            vectors: RefCell::default(),
        }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let body = request.bytes().await?;
        let Ok(mut vectors) = self.vectors.try_borrow_mut() else {
            return Response::error("the object is at work", 503);
        };
        let answer = self
            .shelf
            .migrate()
            .and_then(|()| vectors.serve(&self.shelf, &body));
        match answer {
            Ok(bytes) => Response::from_bytes(bytes),
            Err(error) => match Refusal::of(&error) {
                Some(refusal) => Ok(Response::from_json(&refusal)?.with_status(400)),
                None => {
                    log(Level::Error, &format!("an object of vectors: {error}"));
                    Response::error(error.to_string(), 503)
                }
            },
        }
    }
}

/// The object's database.
#[derive(Debug)]
struct Disk(ObjectDatabase);

/// The vectors come last, so that who reads codes alone does not read them.
const MIGRATIONS: &[&str] = &["CREATE TABLE vector_blocks (\
       block INTEGER PRIMARY KEY, records TEXT NOT NULL, codes BLOB, vectors BLOB NOT NULL); \
     CREATE TABLE vector_terms (id INTEGER PRIMARY KEY CHECK (id = 1), terms TEXT NOT NULL);"];
/// Blocks that are read at once.
const PAGE: i64 = 16;

impl Disk {
    fn migrate(&self) -> Result<()> {
        self.0.migrate(MIGRATIONS)
    }

    fn rows(&self, query: &str, values: Vec<SqlStorageValue>) -> Result<Vec<Vec<SqlStorageValue>>> {
        let cursor = self.0.sql().exec(query, values).map_err(broken)?;
        cursor.raw().collect::<worker::Result<_>>().map_err(broken)
    }
}

impl Elsewhere for Disk {
    fn block(&self, block: usize) -> Result<Vec<f32>> {
        let query = "SELECT vectors FROM vector_blocks WHERE block = ?1";
        let rows = self.rows(query, vec![number(block)])?;
        rows.into_iter()
            .flatten()
            .next()
            .map(|value| numbers(&blob(value)))
            .ok_or_else(gone)
    }

    fn rows(&self, places: &[(usize, usize)], dimensions: usize) -> Result<Vec<Vec<f32>>> {
        let query = "SELECT substr(blocks.vectors, 1 + (place.value ->> 1) * ?2, ?2) \
             FROM json_each(?1) AS place CROSS JOIN vector_blocks AS blocks ON blocks.block = place.value ->> 0 \
             ORDER BY place.key";
        let mut all = Vec::with_capacity(places.len());
        for places in places.chunks(ROWS * 16) {
            let places = serde_json::to_string(places).unwrap_or_default();
            let rows = self.rows(query, vec![places.into(), number(4 * dimensions)])?;
            all.extend(rows.into_iter().flatten().map(|value| numbers(&blob(value))));
        }
        Ok(all)
    }
}

impl Shelf for Disk {
    fn terms(&self) -> Result<Option<String>> {
        let rows = self.rows("SELECT terms FROM vector_terms", Vec::new())?;
        Ok(rows.into_iter().flatten().next().map(text))
    }

    fn set_terms(&self, terms: &str) -> Result<()> {
        let query = "INSERT OR REPLACE INTO vector_terms (id, terms) VALUES (1, ?1)";
        self.rows(query, vec![terms.into()]).map(drop)
    }

    fn blocks(&self, first: usize, coded: bool) -> Result<Vec<Kept>> {
        let query = if coded {
            "SELECT block, records, codes FROM vector_blocks WHERE block >= ?1 ORDER BY block LIMIT ?2"
        } else {
            "SELECT block, records, vectors FROM vector_blocks WHERE block >= ?1 ORDER BY block LIMIT ?2"
        };
        let rows = self.rows(query, vec![number(first), PAGE.into()])?;
        let kept = rows.into_iter().map(|row| {
            let mut row = row.into_iter();
            let (Some(SqlStorageValue::Integer(block)), Some(records), Some(bytes)) =
                (row.next(), row.next(), row.next())
            else {
                return Err(gone());
            };
            let (codes, vectors) = if coded {
                (Some(blob(bytes)), None)
            } else {
                (None, Some(blob(bytes)))
            };
            Ok(Kept {
                block: usize::try_from(block).map_err(|_| gone())?,
                records: text(records),
                codes,
                vectors,
            })
        });
        kept.collect()
    }

    fn put(&self, kept: &Kept) -> Result<()> {
        let query =
            "INSERT OR REPLACE INTO vector_blocks (block, records, codes, vectors) VALUES (?1, ?2, ?3, ?4)";
        let values = vec![
            number(kept.block),
            kept.records.as_str().into(),
            kept.codes.clone().into(),
            kept.vectors.clone().into(),
        ];
        self.rows(query, values).map(drop)
    }

    fn delete(&self, block: usize) -> Result<()> {
        self.rows("DELETE FROM vector_blocks WHERE block = ?1", vec![number(block)])
            .map(drop)
    }

    fn transaction(&self, body: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        self.0.transaction(|_| body())
    }
}

fn number(number: usize) -> SqlStorageValue {
    SqlStorageValue::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

fn text(value: SqlStorageValue) -> String {
    match value {
        SqlStorageValue::String(text) => text,
        _ => String::new(),
    }
}

fn blob(value: SqlStorageValue) -> Vec<u8> {
    match value {
        SqlStorageValue::Blob(bytes) => bytes,
        _ => Vec::new(),
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::Internal, "a block of vectors does not read")
}

fn broken(error: worker::Error) -> Error {
    worker_error(ErrorKind::Unavailable, error).with_context("Durable Object")
}
