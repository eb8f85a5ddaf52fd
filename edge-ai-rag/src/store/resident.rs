//! Vectors in memory, and the search through them. No I/O: what is kept elsewhere is asked of an [`Elsewhere`].

mod block;
mod codes;
#[cfg(any(feature = "vector-object", test))]
mod kept;
mod kernel;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd;
mod top_k;

use std::collections::HashMap;
use std::sync::Arc;

use edge_ai_core::{
    Error, ErrorKind, JsonObject, Metric, Result, ReturnMetadata, VectorMatch, VectorQuery, VectorRecord,
};

use block::Block;
#[cfg(feature = "vector-object")]
pub(crate) use block::ROWS;
use codes::CodedQuery;
#[cfg(any(feature = "vector-object", test))]
pub(crate) use kept::Kept;
use kernel::{Query, inverse_norm};
use top_k::{Candidate, TopK};

pub(super) type Namespace = Option<Arc<str>>;

/// How vectors are searched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quantization {
    /// As they are, 32 bits a value: exact.
    #[default]
    None,
    /// By eight bits a value, a quarter of the memory to read; the best four times as many as asked for are then scored by the 32 bits of each. So scores are
    /// exact, and what is found is nearly always the nearest: at least 99.5 of a hundred in clusters of vectors that are alike, as this crate's tests hold it to.
    Int8,
}

/// For each match that is asked for, so many are chosen by eight bits.
const CANDIDATES: usize = 4;
/// And at least so many.
const MIN_CANDIDATES: usize = 32;

/// Where exact vectors are that are not in memory.
pub(crate) trait Elsewhere {
    /// All vectors of a block, one behind the other.
    fn block(&self, block: usize) -> Result<Vec<f32>>;
    /// The vectors at these places, as `(block, row)`, in their order.
    fn rows(&self, places: &[(usize, usize)], dimensions: usize) -> Result<Vec<Vec<f32>>>;
}

/// For vectors that are all in memory.
#[derive(Debug)]
pub(super) struct Nowhere;

impl Elsewhere for Nowhere {
    fn block(&self, _: usize) -> Result<Vec<f32>> {
        Err(lost())
    }

    fn rows(&self, _: &[(usize, usize)], _: usize) -> Result<Vec<Vec<f32>>> {
        Err(lost())
    }
}

#[derive(Debug)]
pub(crate) struct Resident {
    metric: Metric,
    quantization: Quantization,
    /// The length of all vectors, once there was one.
    pub(crate) dimensions: Option<usize>,
    blocks: Vec<Block>,
    namespaces: HashMap<Namespace, Vec<usize>>,
    places: HashMap<Arc<str>, (usize, usize)>,
    /// Blocks without a record, for any namespace.
    free: Vec<usize>,
}

impl Resident {
    pub(crate) fn new(metric: Metric, quantization: Quantization) -> Self {
        Self {
            metric,
            quantization,
            dimensions: None,
            blocks: Vec::new(),
            namespaces: HashMap::new(),
            places: HashMap::new(),
            free: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Keeps a record, and tells the blocks that are no longer what they were.
    pub(crate) fn put(
        &mut self,
        record: VectorRecord,
        elsewhere: &impl Elsewhere,
    ) -> Result<[Option<usize>; 2]> {
        let left = self.remove(&record.id, elsewhere)?;
        let id: Arc<str> = record.id.into();
        let dimensions = record.values.len();
        self.dimensions = Some(dimensions);
        let at = self.room(record.namespace.map(Arc::from), dimensions);
        self.bring(at, elsewhere)?;
        let block = self.blocks.get_mut(at).ok_or_else(lost)?;
        let metadata = shared(block.metadata.last(), record.metadata);
        let row = block.push(self.metric, Arc::clone(&id), &record.values, metadata);
        self.places.insert(id, (at, row));
        Ok([left, Some(at)])
    }

    /// Removes a record, and tells the block that is no longer what it was.
    pub(crate) fn remove(&mut self, id: &str, elsewhere: &impl Elsewhere) -> Result<Option<usize>> {
        let Some(&(at, row)) = self.places.get(id) else {
            return Ok(None);
        };
        self.bring(at, elsewhere)?;
        self.places.remove(id);
        let block = self.blocks.get_mut(at).ok_or_else(lost)?;
        // The last row fills the gap, so that rows stay one behind the other.
        if let Some(moved) = block.swap_remove(row) {
            self.places.insert(moved, (at, row));
        }
        if block.ids.is_empty() {
            if let Some(blocks) = self.namespaces.get_mut(&block.namespace) {
                blocks.retain(|other| *other != at);
                if blocks.is_empty() {
                    self.namespaces.remove(&block.namespace);
                }
            }
            self.free.push(at);
        }
        Ok(Some(at))
    }

    /// The records with these ids; unknown ids are left out.
    pub(crate) fn get(&self, ids: &[String], elsewhere: &impl Elsewhere) -> Result<Vec<VectorRecord>> {
        let places: Vec<_> = ids
            .iter()
            .filter_map(|id| self.places.get(id.as_str()).copied())
            .collect();
        let values = self.values(&places, elsewhere)?;
        let records = places.iter().zip(values);
        Ok(records
            .filter_map(|((at, row), values)| self.blocks.get(*at)?.record(*row, values))
            .collect())
    }

    /// The nearest, nearest first.
    pub(crate) fn nearest(
        &self,
        query: &VectorQuery,
        elsewhere: &impl Elsewhere,
    ) -> Result<Vec<VectorMatch>> {
        let wanted = query.top_k.min(self.len());
        let queries = (
            Query::new(self.metric, &query.vector),
            CodedQuery::new(self.metric, &query.vector),
        );
        let limit = match self.quantization {
            Quantization::None => wanted,
            Quantization::Int8 => wanted
                .saturating_mul(CANDIDATES)
                .max(MIN_CANDIDATES)
                .min(self.len()),
        };
        let mut nearest = TopK::new(limit);
        let mut scan = |at: usize| {
            if let Some(block) = self.blocks.get(at) {
                block.scan(&queries, &query.filter, at, &mut nearest);
            }
        };
        match &query.namespace {
            Some(namespace) => {
                let blocks = self.namespaces.get(&Some(namespace.as_str().into()));
                blocks.into_iter().flatten().for_each(|at| scan(*at));
            }
            None => (0..self.blocks.len()).for_each(scan),
        }
        let mut found = nearest.into_sorted();
        let places: Vec<_> = found.iter().map(|found| (found.block, found.row)).collect();
        let exact = self.quantization == Quantization::None;
        let mut values = if exact && !query.return_values {
            vec![Vec::new(); places.len()]
        } else {
            self.values(&places, elsewhere)?
        };
        let mut scored: Vec<(Candidate<'_>, Vec<f32>)> = found.drain(..).zip(values.drain(..)).collect();
        if !exact {
            for (found, values) in &mut scored {
                found.distance = queries.0.distance(values, inverse_norm(values));
            }
            scored.sort_by_key(|(found, _)| *found);
            scored.truncate(wanted);
        }
        let to_match = |(found, values): (Candidate<'_>, Vec<f32>)| {
            let block = self.blocks.get(found.block)?;
            let mut result = VectorMatch::new(found.id, queries.0.score(found.distance));
            result.namespace = block.namespace.as_deref().map(str::to_owned);
            result.values = query.return_values.then_some(values);
            if query.return_metadata != ReturnMetadata::None {
                result.metadata = JsonObject::clone(block.metadata.get(found.row)?);
            }
            Some(result)
        };
        Ok(scored.into_iter().filter_map(to_match).collect())
    }

    fn values(&self, places: &[(usize, usize)], elsewhere: &impl Elsewhere) -> Result<Vec<Vec<f32>>> {
        let here = places
            .iter()
            .map(|(at, row)| Some(self.blocks.get(*at)?.values(*row)?.to_vec()));
        if let Some(all) = here.collect() {
            return Ok(all);
        }
        elsewhere.rows(places, self.dimensions.unwrap_or(0))
    }

    /// A block of the namespace with room.
    fn room(&mut self, namespace: Namespace, dimensions: usize) -> usize {
        let blocks = self.namespaces.entry(namespace.clone()).or_default();
        let has_room = |at: &&usize| self.blocks.get(**at).is_some_and(|block| !block.is_full());
        // The newest are looked at first; older ones with room are rare and found in the end.
        if let Some(at) = blocks.iter().rev().find(has_room) {
            return *at;
        }
        let block = Block::new(namespace, dimensions, self.quantization);
        let at = match self.free.pop() {
            Some(at) => at,
            None => self.blocks.len(),
        };
        match self.blocks.get_mut(at) {
            Some(free) => *free = block,
            None => self.blocks.push(block),
        }
        blocks.push(at);
        at
    }

    fn bring(&mut self, at: usize, elsewhere: &impl Elsewhere) -> Result<()> {
        match self.blocks.get_mut(at) {
            Some(block) if block.exact.is_none() => block.bring(elsewhere.block(at)?),
            _ => {}
        }
        Ok(())
    }
}

/// Chunks of one document have the same metadata: it is in memory once for those that lie side by side.
fn shared(before: Option<&Arc<JsonObject>>, metadata: JsonObject) -> Arc<JsonObject> {
    match before {
        Some(before) if **before == metadata => Arc::clone(before),
        _ => Arc::new(metadata),
    }
}

/// Numbers of 32 bits, the lowest byte first.
#[cfg(any(feature = "worker", test))]
pub(crate) fn numbers(bytes: &[u8]) -> Vec<f32> {
    let (numbers, _) = bytes.as_chunks::<4>();
    numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

fn lost() -> Error {
    Error::new(
        ErrorKind::Internal,
        "a block of vectors is not where it should be",
    )
}
