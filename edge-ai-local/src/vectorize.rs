//! Vectorize, by the wire contract between the runtime's own binding module and the service.

pub(crate) mod error;
mod filter;
mod index;
pub(crate) mod limits;
mod query;
mod registry;
mod vector;
mod wire;

pub(crate) use registry::Indexes;

use serde_json::json;

use crate::call::Call;
use crate::id;
use crate::reply::Reply;
use error::Error;
use index::Change;

/// Answers a call of the binding. Success is exactly status 200.
pub(crate) fn answer(call: &Call<'_>) -> Reply {
    route(call).unwrap_or_else(Reply::from)
}

fn route(call: &Call<'_>) -> Result<Reply, Error> {
    let now = call.app.clock.unix_ms();
    let name = call.app.indexes.resolve(call.index, call.binding);
    match (call.method.as_str(), call.path.trim_end_matches('/')) {
        ("GET", "/info") => Ok(call
            .app
            .indexes
            .read(&name, now, |index| Reply::json(&index.info()))),
        ("POST", "/query") => {
            let query = query::Query::parse(call.json)?;
            call.app.indexes.read(&name, now, |index| query.run(index))
        }
        ("POST", "/getByIds") => {
            let ids = wire::ids(call.json, limits::GET_IDS)?;
            Ok(call
                .app
                .indexes
                .read(&name, now, |index| Reply::json(&index.get(&ids))))
        }
        ("POST", "/insert") => write(call, &name, wire::vectors(call.body, "insert")?, Change::Insert),
        ("POST", "/upsert") => write(call, &name, wire::vectors(call.body, "upsert")?, Change::Upsert),
        ("POST", "/deleteByIds") => {
            let ids = wire::ids(call.json, limits::DELETE_IDS)?;
            Ok(enqueue(call, &name, Change::Delete(ids)))
        }
        (method, path) => Err(Error::of(404, &format!("no such call: {method} {path}"))),
    }
}

fn write(
    call: &Call<'_>,
    name: &str,
    vectors: Vec<vector::Vector>,
    change: fn(Vec<vector::Vector>) -> Change,
) -> Result<Reply, Error> {
    let width = vectors.first().map_or(0, |vector| vector.values.len());
    let dimensions = call.app.indexes.dimensions_for_write(name, width);
    if let Some(wrong) = vectors.iter().find(|vector| vector.values.len() != dimensions) {
        return Err(Error::dimensions(&wrong.id, dimensions, wrong.values.len()));
    }
    Ok(enqueue(call, name, change(vectors)))
}

fn enqueue(call: &Call<'_>, name: &str, change: Change) -> Reply {
    let mutation = id::uuid(call.number, "vectorize mutation");
    let now = call.app.clock.unix_ms();
    let ready = now + call.app.config.visible_after.as_millis() as u64;
    call.app
        .indexes
        .write(name, |index| index.enqueue(change, mutation.clone(), now, ready));
    Reply::json(&json!({ "mutationId": mutation }))
}
