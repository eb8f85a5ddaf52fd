use std::sync::Arc;

use edge_ai_core::{Filter, JsonObject, Metric, VectorRecord};

use super::codes::{CodedQuery, Codes};
use super::kernel::{Query, inverse_norm};
use super::top_k::{Candidate, TopK};
use super::{Namespace, Quantization};

/// The records of a block. 64 vectors of 384 values are 96 KiB: far below the 2 MB of a row
/// (<https://developers.cloudflare.com/durable-objects/platform/limits/>), small enough to write again for one of them.
pub(crate) const ROWS: usize = 64;

/// Some records of one namespace, their vectors one behind the other.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) namespace: Namespace,
    pub(super) ids: Vec<Arc<str>>,
    pub(super) metadata: Vec<Arc<JsonObject>>,
    /// The vectors, unless they are elsewhere.
    pub(super) exact: Option<Vec<f32>>,
    pub(super) codes: Option<Codes>,
    /// One divided by each vector's length, where that is searched by.
    inverse_norms: Vec<f32>,
    dimensions: usize,
}

impl Block {
    pub(super) fn new(namespace: Namespace, dimensions: usize, quantization: Quantization) -> Self {
        Self {
            namespace,
            ids: Vec::new(),
            metadata: Vec::new(),
            exact: Some(Vec::new()),
            codes: (quantization == Quantization::Int8).then(Codes::default),
            inverse_norms: Vec::new(),
            dimensions: dimensions.max(1),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.ids.len() >= ROWS
    }

    /// Adds a record at the end and tells its row. The vectors are here.
    pub(super) fn push(
        &mut self,
        metric: Metric,
        id: Arc<str>,
        values: &[f32],
        metadata: Arc<JsonObject>,
    ) -> usize {
        if let Some(exact) = &mut self.exact {
            exact.extend_from_slice(values);
        }
        match &mut self.codes {
            Some(codes) => codes.push(metric, values),
            None => self.inverse_norms.push(inverse_norm(values)),
        }
        self.metadata.push(metadata);
        self.ids.push(id);
        self.ids.len() - 1
    }

    /// Removes a row, moves the last one into its place, and tells which that is. The vectors are here.
    pub(super) fn swap_remove(&mut self, row: usize) -> Option<Arc<str>> {
        if row >= self.ids.len() {
            return None;
        }
        let last = (self.ids.len() - 1) * self.dimensions;
        if let Some(exact) = &mut self.exact {
            exact.copy_within(last.., row * self.dimensions);
            exact.truncate(last);
        }
        match &mut self.codes {
            Some(codes) => codes.swap_remove(row, self.dimensions),
            None => drop(self.inverse_norms.swap_remove(row)),
        }
        self.metadata.swap_remove(row);
        self.ids.swap_remove(row);
        self.ids.get(row).cloned()
    }

    /// Takes vectors in, as they come from where they were kept.
    pub(super) fn bring(&mut self, exact: Vec<f32>) {
        if self.codes.is_none() {
            self.inverse_norms = exact.chunks_exact(self.dimensions).map(inverse_norm).collect();
        }
        self.exact = Some(exact);
    }

    pub(super) fn values(&self, row: usize) -> Option<&[f32]> {
        let start = row * self.dimensions;
        self.exact.as_ref()?.get(start..start + self.dimensions)
    }

    pub(super) fn record(&self, row: usize, values: Vec<f32>) -> Option<VectorRecord> {
        let mut record = VectorRecord::new(&**self.ids.get(row)?, values);
        record.namespace = self.namespace.as_deref().map(str::to_owned);
        record.metadata = JsonObject::clone(self.metadata.get(row)?);
        Some(record)
    }

    /// Offers every record that passes the filter, by its codes if it has some.
    pub(super) fn scan<'a>(
        &'a self,
        queries: &(Query<'_>, CodedQuery),
        filter: &Filter,
        at: usize,
        nearest: &mut TopK<'a>,
    ) {
        match (&self.codes, &self.exact) {
            (Some(codes), _) => self.offer(codes.distances(&queries.1), filter, at, nearest),
            (None, Some(exact)) => {
                let rows = exact.chunks_exact(self.dimensions).zip(&self.inverse_norms);
                let distances = rows.map(|(values, norm)| queries.0.distance(values, *norm));
                self.offer(distances, filter, at, nearest);
            }
            (None, None) => {}
        }
    }

    #[inline(always)]
    fn offer<'a>(
        &'a self,
        distances: impl Iterator<Item = f32>,
        filter: &Filter,
        block: usize,
        nearest: &mut TopK<'a>,
    ) {
        let beside = self.ids.iter().zip(&self.metadata);
        for (row, (distance, (id, metadata))) in distances.zip(beside).enumerate() {
            // A filter reads JSON and costs more than a score: it is asked last.
            if nearest.admits(distance) && (filter.is_empty() || filter.matches(metadata)) {
                nearest.push(Candidate {
                    distance,
                    id,
                    block,
                    row,
                });
            }
        }
    }
}
