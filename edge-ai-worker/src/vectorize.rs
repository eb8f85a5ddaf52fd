mod error;

use edge_ai_core::{Error, ErrorKind, Result};
use js_sys::futures::JsFuture;
use serde_json::{Map, Value};
use wasm_bindgen::prelude::*;
use worker::EnvBinding;
use worker::send::SendFuture;

use crate::bridge;
use crate::error::Thrown;

#[wasm_bindgen]
extern "C" {
    /// The Vectorize binding (V2 indexes), which the `worker` crate lacks. Answers are JSON texts, as the service wrote
    /// them but for white space.
    ///
    /// Every method fails with the service's error by its code, which is kept as the error's code. The service's caps
    /// (1,000 vectors an upsert, 100 ids a deletion, 20 ids a lookup) are the caller's to keep.
    ///
    /// ```no_run
    /// use edge_ai_worker::EnvExt;
    ///
    /// # async fn example(env: worker::Env) -> edge_ai_core::Result<()> {
    /// let index = env.required_vectorize("DOCS")?;
    /// index.upsert(r#"[{"id":"a","values":[0.1,0.9],"namespace":"acme","metadata":{"page":3}}]"#).await?;
    /// let matches = index.query(&[0.1, 0.8], r#"{"topK":5,"namespace":"acme","returnMetadata":"indexed"}"#).await?;
    /// # Ok(()) }
    /// ```
    #[derive(Clone, Debug)]
    pub type VectorizeIndex;
}

impl EnvBinding for VectorizeIndex {
    const TYPE_NAME: &'static str = "VectorizeIndexImpl";
}

impl VectorizeIndex {
    /// What the index holds: `{"vectorCount", "dimensions", "processedUpToDatetime", "processedUpToMutation"}`.
    ///
    /// # Errors
    /// The service's, by its code.
    pub async fn describe(&self) -> Result<String> {
        self.call("describe", &[]).await
    }

    /// The vectors nearest to `vector`: `{"count", "matches"}`. `options` is the JSON text of an object.
    ///
    /// A boolean `returnMetadata` becomes `"all"` or `"none"`: the service refuses `false`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] for numbers that JSON lacks, or options that are no object; the service's, by its code.
    pub async fn query(&self, vector: &[f32], options: &str) -> Result<String> {
        self.call("query", &[&vector_json(vector)?, &query_options(options)?])
            .await
    }

    /// The vectors nearest to one that the index holds.
    ///
    /// # Errors
    /// As for [`query`](Self::query).
    pub async fn query_by_id(&self, id: &str, options: &str) -> Result<String> {
        self.call(
            "queryById",
            &[&Value::from(id).to_string(), &query_options(options)?],
        )
        .await
    }

    /// Adds vectors, a JSON array of them, except under ids that the index holds already: `{"mutationId"}`.
    ///
    /// # Errors
    /// The service's, by its code.
    pub async fn insert(&self, vectors: &str) -> Result<String> {
        self.call("insert", &[vectors]).await
    }

    /// Adds or replaces vectors, a JSON array of them: `{"mutationId"}`.
    ///
    /// # Errors
    /// The service's, by its code.
    pub async fn upsert(&self, vectors: &str) -> Result<String> {
        self.call("upsert", &[vectors]).await
    }

    /// The vectors with these ids, a JSON array of those that exist.
    ///
    /// # Errors
    /// The service's, by its code.
    pub async fn get_by_ids<S: AsRef<str> + Sync>(&self, ids: &[S]) -> Result<String> {
        let ids = ids_json(ids);
        self.call("getByIds", &[&ids]).await
    }

    /// Deletes the vectors with these ids: `{"mutationId"}`.
    ///
    /// # Errors
    /// The service's, by its code.
    pub async fn delete_by_ids<S: AsRef<str> + Sync>(&self, ids: &[S]) -> Result<String> {
        let ids = ids_json(ids);
        self.call("deleteByIds", &[&ids]).await
    }

    async fn call(&self, operation: &str, arguments: &[&str]) -> Result<String> {
        let answer = bridge::vectorize(self, operation, &format!("[{}]", arguments.join(",")));
        let answer = SendFuture::new(JsFuture::from(answer)).await;
        let answer = answer.map_err(|thrown| error::thrown(Thrown::of(&thrown)))?;
        bridge::bytes(answer)
            .map(bridge::text)
            .ok_or_else(|| Error::new(ErrorKind::BadUpstream, "Vectorize answered with nothing"))
    }
}

fn vector_json(vector: &[f32]) -> Result<String> {
    if let Some(odd) = vector.iter().position(|number| !number.is_finite()) {
        return Err(Error::invalid(format!("vector[{odd}]"), "not a finite number"));
    }
    write(&vector)
}

fn ids_json<S: AsRef<str>>(ids: &[S]) -> String {
    Value::from_iter(ids.iter().map(AsRef::as_ref)).to_string()
}

fn query_options(options: &str) -> Result<String> {
    let mut options: Map<String, Value> = serde_json::from_str(options)
        .map_err(|error| Error::invalid("options", "not the JSON of an object").with_source(error))?;
    match options.get_mut("returnMetadata") {
        Some(level @ Value::Bool(true)) => *level = "all".into(),
        Some(level @ Value::Bool(false)) => *level = "none".into(),
        _ => {}
    }
    write(&options)
}

fn write(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| {
        Error::new(ErrorKind::Internal, "a value cannot be written as JSON").with_source(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_levels_are_never_boolean() {
        assert_eq!(
            query_options(r#"{"returnMetadata":true}"#).unwrap(),
            r#"{"returnMetadata":"all"}"#
        );
        assert_eq!(
            query_options(r#"{"returnMetadata":false}"#).unwrap(),
            r#"{"returnMetadata":"none"}"#
        );
        assert_eq!(
            query_options(r#"{"returnMetadata":"indexed"}"#).unwrap(),
            r#"{"returnMetadata":"indexed"}"#
        );
        assert_eq!(query_options("[]").unwrap_err().kind(), ErrorKind::InvalidRequest);
    }

    #[test]
    fn vectors_and_ids_are_plain_json() {
        assert_eq!(vector_json(&[0.1, -2.0]).unwrap(), "[0.1,-2.0]");
        assert_eq!(
            vector_json(&[1.0, f32::NAN]).unwrap_err().param(),
            Some("vector[1]")
        );
        assert_eq!(ids_json(&["a\"b", "c"]), r#"["a\"b","c"]"#);
    }
}
