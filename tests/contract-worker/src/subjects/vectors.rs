use edge_ai_core::{Bytes, Error, ErrorKind, HttpClient, JsonObject, Metric, Result};
use edge_ai_rag::{MemoryVectorStore, ObjectVectorStore, Quantization, VectorizeStore};
use edge_ai_testkit::contract::vector_store::{FILTERED_FIELDS, VectorStoreSubject, cases};
use edge_ai_worker::{EnvExt, FetchClient, WorkerClock};
use serde_json::json;
use worker::Env;

use super::run_id;
use crate::suite::Suite;

const DIMENSIONS: usize = 32;
/// As in `wrangler.jsonc`.
const INDEX: &str = "contract";
const MAX_METADATA: usize = 10 << 10;

pub(super) fn add<'a>(suite: &mut Suite<'a>, env: &'a Env) {
    for (name, metric) in [
        ("vector_store/memory_cosine", Metric::Cosine),
        ("vector_store/memory_euclidean", Metric::Euclidean),
        ("vector_store/memory_dot_product", Metric::DotProduct),
    ] {
        suite.add(name, cases(), move || {
            Ok(VectorStoreSubject::new(MemoryVectorStore::new(metric)))
        });
    }
    suite.add("vector_store/memory_int8", cases(), || {
        let store = MemoryVectorStore::new(Metric::Cosine).quantized(Quantization::Int8);
        Ok(VectorStoreSubject::new(store))
    });
    for (name, metric, quantization) in [
        ("cosine", Metric::Cosine, Quantization::None),
        ("cosine_int8", Metric::Cosine, Quantization::Int8),
        ("euclidean_int8", Metric::Euclidean, Quantization::Int8),
        ("dot_product", Metric::DotProduct, Quantization::None),
    ] {
        suite.add(&format!("vector_store/object_{name}"), cases(), move || {
            let store = ObjectVectorStore::from_env(env, "VECTORS", name, metric)?.quantized(quantization);
            Ok(VectorStoreSubject::new(store)
                .with_max_metadata(MAX_METADATA)
                .with_scope(run_id()))
        });
    }
    suite.add("vector_store/vectorize", cases(), move || {
        let store = VectorizeStore::from_env(env, "VECTORIZE", Metric::Cosine)?;
        Ok(vectorize(store))
    });
    suite.add("vector_store/vectorize_of_known_dimensions", cases(), move || {
        let store = VectorizeStore::from_env(env, "VECTORIZE", Metric::Cosine)?;
        Ok(vectorize(store.with_dimensions(DIMENSIONS)))
    });
}

fn vectorize(store: VectorizeStore) -> VectorStoreSubject {
    VectorStoreSubject::new(store)
        .with_dimensions(DIMENSIONS)
        .with_max_metadata(MAX_METADATA)
        .with_clock(WorkerClock)
        .with_scope(run_id())
}

/// Makes the index's metadata indexes in the stand-in, as `wrangler vectorize create-metadata-index` does in the service. Its address is
/// known from the upstream that it also stands in for; without one the index is the service's, and made there.
pub(super) async fn declare_index(env: &Env) -> Result<()> {
    let Some(upstream) = env.text("OPENAI_BASE_URL") else {
        return Ok(());
    };
    let Some(stand_in) = upstream.strip_suffix("/openai/v1") else {
        return Ok(());
    };
    let fields: JsonObject = FILTERED_FIELDS
        .into_iter()
        .map(|(field, kind)| (field.to_owned(), json!(kind)))
        .collect();
    let index = json!({"dimensions": DIMENSIONS, "metric": "cosine", "metadata_indexes": fields});
    let request = http::Request::put(format!("{stand_in}/_local/vectorize/{INDEX}"))
        .body(Bytes::from(index.to_string()))
        .map_err(|error| Error::new(ErrorKind::Configuration, error.to_string()))?;
    let status = FetchClient.send(request).await?.status();
    if !status.is_success() {
        return Err(Error::new(
            ErrorKind::Configuration,
            format!("declaring the index was answered with {status}"),
        ));
    }
    Ok(())
}
