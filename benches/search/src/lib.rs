//! `POST /PLACE/fill?from=&count=&int8=` keeps vectors, `POST /PLACE/search?times=&int8=` searches so often, for the places `memory` and `object`;
//! `POST /copy?times=` copies as much memory as 10,000 vectors are; `GET /memory` tells how much memory WebAssembly has.

use std::sync::{Mutex, PoisonError};

use edge_ai_core::{Error, Metric, ReturnMetadata, VectorQuery, VectorRecord, VectorStore};
pub use edge_ai_rag::VectorObject;
use edge_ai_rag::{MemoryVectorStore, ObjectVectorStore, Quantization};
use worker::{Context, Env, Request, Response, event};

const DIMENSIONS: usize = 384;
const TOP_K: usize = 10;

static MEMORY: Mutex<Option<MemoryVectorStore>> = Mutex::new(None);

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> worker::Result<Response> {
    let url = request.url()?;
    let number = |name: &str| {
        let pair = url.query_pairs().find(|(key, _)| key == name);
        pair.and_then(|(_, value)| value.parse().ok()).unwrap_or(0_usize)
    };
    let quantization = if number("int8") == 1 {
        Quantization::Int8
    } else {
        Quantization::None
    };
    let name = if number("int8") == 1 { "int8" } else { "f32" };
    let object = || ObjectVectorStore::from_env(&env, "VECTORS", name, Metric::Cosine);
    let (from, count, times) = (number("from"), number("count"), number("times"));
    let answer = match url.path() {
        "/memory/fill" => fill(&memory(Some(quantization)), from, count).await,
        "/memory/search" => search(&memory(None), times).await,
        "/object/fill" => match object() {
            Ok(store) => fill(&store.quantized(quantization), from, count).await,
            Err(error) => Err(error),
        },
        "/object/search" => match object() {
            Ok(store) => search(&store.quantized(quantization), times).await,
            Err(error) => Err(error),
        },
        "/copy" => Ok(copy(times)),
        "/memory" => Ok(wasm_bytes().to_string()),
        _ => return Response::error("no such place", 404),
    };
    match answer {
        Ok(text) => Response::ok(text),
        Err(error) => Response::error(error.to_string(), 500),
    }
}

/// The store in memory; a new one for a quantization.
fn memory(anew: Option<Quantization>) -> MemoryVectorStore {
    let mut store = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(quantization) = anew {
        *store = Some(MemoryVectorStore::new(Metric::Cosine).quantized(quantization));
    }
    store
        .get_or_insert_with(|| MemoryVectorStore::new(Metric::Cosine))
        .clone()
}

async fn fill(store: &dyn VectorStore, from: usize, count: usize) -> Result<String, Error> {
    for first in (from..from + count).step_by(500) {
        let records = first..(first + 500).min(from + count);
        let records = records
            .map(|at| VectorRecord::new(format!("{at:043}"), vector(at)).metadata("document", at / 10));
        store.upsert(records.collect()).await?;
    }
    Ok(store.info().await?.count.to_string())
}

async fn search(store: &dyn VectorStore, times: usize) -> Result<String, Error> {
    let mut best = String::new();
    for at in 0..times {
        let query = VectorQuery::new(vector(at * 7)).top_k(TOP_K);
        let found = store.query(query.return_metadata(ReturnMetadata::None)).await?;
        best = found.into_iter().next().map(|found| found.id).unwrap_or_default();
    }
    Ok(best)
}

fn copy(times: usize) -> String {
    let from = vec![1.0_f32; 10_000 * DIMENSIONS];
    let mut to = vec![0.0_f32; from.len()];
    for _ in 0..times {
        std::hint::black_box(&mut to).copy_from_slice(std::hint::black_box(&from));
    }
    to.len().to_string()
}

/// Values that belong to a number, of a spread like an embedding's.
fn vector(at: usize) -> Vec<f32> {
    let mut state = (at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut value = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1_u32 << 23) as f32 - 1.0
    };
    (0..DIMENSIONS).map(|_| value()).collect()
}

#[cfg(target_arch = "wasm32")]
fn wasm_bytes() -> usize {
    core::arch::wasm32::memory_size(0) << 16
}

#[cfg(not(target_arch = "wasm32"))]
fn wasm_bytes() -> usize {
    0
}
