use std::sync::Arc;

use edge_ai_core::{Filter, JsonObject};

use super::kernel::Query;
use super::top_k::{Candidate, TopK};

/// The records of one namespace: vectors one behind the other, without gaps, and beside them what a scan needs for each.
#[derive(Debug)]
pub(super) struct Partition {
    dimensions: usize,
    values: Vec<f32>,
    /// One divided by each vector's length; zero for a vector of zeros.
    inverse_norms: Vec<f32>,
    ids: Vec<Arc<str>>,
    metadata: Vec<JsonObject>,
}

/// One record of a partition.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) values: &'a [f32],
    pub(super) metadata: &'a JsonObject,
}

impl Partition {
    /// An empty partition of vectors of a length over zero.
    pub(super) fn new(dimensions: usize) -> Self {
        let dimensions = dimensions.max(1);
        Self {
            dimensions,
            values: Vec::new(),
            inverse_norms: Vec::new(),
            ids: Vec::new(),
            metadata: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Adds a record at the end and tells its row.
    pub(super) fn push(&mut self, id: Arc<str>, values: &[f32], metadata: JsonObject) -> usize {
        debug_assert_eq!(values.len(), self.dimensions);
        self.values.extend_from_slice(values);
        self.inverse_norms.push(super::kernel::inverse_norm(values));
        self.metadata.push(metadata);
        self.ids.push(id);
        self.ids.len() - 1
    }

    /// Removes a row, moves the last one into its place, and tells which that is.
    pub(super) fn swap_remove(&mut self, row: usize) -> Option<Arc<str>> {
        if row >= self.ids.len() {
            return None;
        }
        let last = (self.ids.len() - 1) * self.dimensions;
        self.values.copy_within(last.., row * self.dimensions);
        self.values.truncate(last);
        self.inverse_norms.swap_remove(row);
        self.metadata.swap_remove(row);
        self.ids.swap_remove(row);
        self.ids.get(row).cloned()
    }

    pub(super) fn row(&self, row: usize) -> Option<Row<'_>> {
        let start = row * self.dimensions;
        let values = self.values.get(start..start + self.dimensions)?;
        Some(Row {
            values,
            metadata: self.metadata.get(row)?,
        })
    }

    /// Offers every record that passes the filter.
    pub(super) fn scan<'a>(
        &'a self,
        query: &Query<'_>,
        filter: &Filter,
        partition: usize,
        nearest: &mut TopK<'a>,
    ) {
        let rows = self.values.chunks_exact(self.dimensions).zip(&self.inverse_norms);
        let beside = self.ids.iter().zip(&self.metadata);
        for (row, ((values, inverse_norm), (id, metadata))) in rows.zip(beside).enumerate() {
            let distance = query.distance(values, *inverse_norm);
            // A filter reads JSON and costs more than a score: it is asked last.
            if nearest.admits(distance) && (filter.is_empty() || filter.matches(metadata)) {
                nearest.push(Candidate {
                    distance,
                    id,
                    partition,
                    row,
                });
            }
        }
    }
}
