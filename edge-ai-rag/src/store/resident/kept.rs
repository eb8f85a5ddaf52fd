use std::sync::Arc;

use edge_ai_core::{JsonObject, Result};
use serde::{Deserialize, Serialize};

use super::block::Block;
use super::codes::Codes;
use super::{Namespace, Quantization, Resident, lost, numbers, shared};

/// A block as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) block: usize,
    /// Its records without their vectors, as JSON.
    pub(crate) records: String,
    /// Their vectors by eight bits; `None` where they are not searched by.
    pub(crate) codes: Option<Vec<u8>>,
    /// Their vectors; a block that is read to be searched by its codes does without.
    pub(crate) vectors: Option<Vec<u8>>,
}

#[derive(Serialize, Deserialize)]
struct Records<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Namespace,
    ids: Vec<Arc<str>>,
    metadata: Vec<std::borrow::Cow<'a, JsonObject>>,
}

impl Resident {
    /// The block to keep; nothing for one that is empty. Vectors that are searched by their codes leave the memory then.
    pub(crate) fn keep(&mut self, block: usize) -> Result<Option<Kept>> {
        let at = self.blocks.get_mut(block).ok_or_else(lost)?;
        if at.ids.is_empty() {
            return Ok(None);
        }
        let records = Records {
            namespace: at.namespace.clone(),
            ids: at.ids.clone(),
            metadata: at
                .metadata
                .iter()
                .map(|metadata| std::borrow::Cow::Borrowed(&**metadata))
                .collect(),
        };
        let records = serde_json::to_string(&records).map_err(|error| lost().with_source(error))?;
        let exact = if at.codes.is_some() {
            at.exact.take()
        } else {
            at.exact.clone()
        };
        let bytes = |values: Vec<f32>| values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Ok(Some(Kept {
            block,
            records,
            codes: at.codes.as_ref().map(Codes::to_bytes),
            vectors: Some(bytes(exact.ok_or_else(lost)?)),
        }))
    }

    /// Takes a block in that was kept; blocks come in their order.
    pub(crate) fn restore(&mut self, kept: Kept) -> Result<()> {
        let records: Records<'_> =
            serde_json::from_str(&kept.records).map_err(|error| lost().with_source(error))?;
        let rows = records.ids.len();
        let exact = kept.vectors.as_deref().map(numbers);
        let length = match (&kept.codes, &exact) {
            (Some(codes), _) => (codes.len() / rows.max(1)).saturating_sub(8),
            (None, Some(exact)) => exact.len() / rows.max(1),
            (None, None) => 0,
        };
        if length == 0 || records.metadata.len() != rows || self.blocks.len() > kept.block {
            return Err(lost());
        }
        while self.blocks.len() < kept.block {
            self.free.push(self.blocks.len());
            self.blocks.push(Block::new(None, length, self.quantization));
        }
        let mut block = Block::new(records.namespace.clone(), length, self.quantization);
        for metadata in records.metadata {
            let metadata = shared(block.metadata.last(), metadata.into_owned());
            block.metadata.push(metadata);
        }
        block.ids.clone_from(&records.ids);
        match (self.quantization, kept.codes, exact) {
            (Quantization::Int8, Some(codes), exact) => {
                block.codes = Some(Codes::from_bytes(&codes, rows, length).ok_or_else(lost)?);
                block.exact = exact;
            }
            (Quantization::None, _, Some(exact)) => block.bring(exact),
            _ => return Err(lost()),
        }
        self.dimensions = Some(length);
        for (row, id) in records.ids.into_iter().enumerate() {
            self.places.insert(id, (kept.block, row));
        }
        self.namespaces
            .entry(records.namespace)
            .or_default()
            .push(kept.block);
        self.blocks.push(block);
        Ok(())
    }
}
