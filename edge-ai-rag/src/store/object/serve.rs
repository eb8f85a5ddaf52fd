//! The object without a runtime: what it answers, and what it keeps.

use std::collections::BTreeSet;

use edge_ai_core::{Error, ErrorKind, Result, VectorRecord};

use super::shelf::Shelf;
use super::wire::{Ask, Head, Terms, Told, What, read, unreadable, vectors, write};
use crate::store::record::{check_query, check_records};
use crate::store::resident::{Quantization, Resident};

/// Blocks whose vectors are in memory beside their codes while they are written: some megabytes.
const OPEN_BLOCKS: usize = 32;
/// 64 vectors of so many values and their codes fit a row of 2 MB, with as much metadata as there may be.
const MAX_DIMENSIONS: usize = 3_072;

/// What an object has in memory, once it has read it.
#[derive(Debug, Default)]
pub(super) struct Vectors(Option<(Terms, Resident)>);

impl Vectors {
    /// Answers one request.
    pub(super) fn serve(&mut self, shelf: &impl Shelf, body: &[u8]) -> Result<Vec<u8>> {
        let (ask, values): (Ask, _) = read(body)?;
        let asked = Terms::named(&ask.terms).ok_or_else(unreadable)?;
        let (terms, resident) = match &mut self.0 {
            Some(loaded) => loaded,
            empty => empty.insert(load(shelf, asked)?),
        };
        if *terms != asked {
            let message = format!(
                "the object keeps vectors for `{}`, not for `{}`: take another object, or write all vectors anew",
                terms.name(),
                asked.name()
            );
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        match ask.what {
            What::Upsert(heads) => {
                let vectors = vectors(&values, heads.len())
                    .map(<[f32]>::to_vec)
                    .collect::<Vec<_>>();
                let records = heads.into_iter().zip(&vectors);
                let records: Vec<_> = records.map(|(head, values)| head.into_record(values)).collect();
                check_records(&records, resident.dimensions)?;
                if let Some(long) = vectors.first().filter(|values| values.len() > MAX_DIMENSIONS) {
                    let message = format!(
                        "a vector has at most {MAX_DIMENSIONS} values here, this one has {}",
                        long.len()
                    );
                    return Err(Error::invalid("records[0].values", message));
                }
                self.change(shelf, Change::Upsert(records))?;
                write(&Told::Heads(Vec::new()), std::iter::empty())
            }
            What::Delete(ids) => {
                self.change(shelf, Change::Delete(ids))?;
                write(&Told::Heads(Vec::new()), std::iter::empty())
            }
            What::Query(wanted) => {
                let query = wanted.into_query(values)?;
                check_query(&query, resident.dimensions)?;
                let found = resident.nearest(&query, shelf)?;
                let vectors: Vec<_> = found.iter().filter_map(|found| found.values.clone()).collect();
                let heads = found.into_iter().map(|found| Head {
                    id: found.id,
                    namespace: found.namespace,
                    metadata: found.metadata,
                    score: Some(found.score),
                });
                write(&Told::Heads(heads.collect()), vectors.iter().map(Vec::as_slice))
            }
            What::Get(ids) => {
                let records = resident.get(&ids, shelf)?;
                let heads = records.iter().map(Head::of).collect();
                write(
                    &Told::Heads(heads),
                    records.iter().map(|record| record.values.as_slice()),
                )
            }
            What::Info => {
                let (count, dimensions) = (resident.len() as u64, resident.dimensions);
                write(&Told::Info { count, dimensions }, std::iter::empty())
            }
        }
    }

    /// Changes memory and shelf together. What fails is read anew from the shelf, where nothing has changed.
    fn change(&mut self, shelf: &impl Shelf, change: Change) -> Result<()> {
        let Some((terms, resident)) = &mut self.0 else {
            return Ok(());
        };
        let mut change = Some(change);
        let changed = shelf.transaction(&mut || match change.take() {
            Some(change) => apply(*terms, resident, shelf, change),
            None => Ok(()),
        });
        if changed.is_err() {
            self.0 = None;
        }
        changed
    }
}

#[derive(Debug)]
enum Change {
    Upsert(Vec<VectorRecord>),
    Delete(Vec<String>),
}

fn apply(terms: Terms, resident: &mut Resident, shelf: &impl Shelf, change: Change) -> Result<()> {
    let mut touched = BTreeSet::new();
    match change {
        Change::Upsert(records) => {
            if resident.len() == 0 {
                shelf.set_terms(terms.name())?;
            }
            for record in records {
                touched.extend(resident.put(record, shelf)?.into_iter().flatten());
                if touched.len() >= OPEN_BLOCKS {
                    keep(resident, shelf, &mut touched)?;
                }
            }
        }
        Change::Delete(ids) => {
            for id in ids {
                touched.extend(resident.remove(&id, shelf)?);
                if touched.len() >= OPEN_BLOCKS {
                    keep(resident, shelf, &mut touched)?;
                }
            }
        }
    }
    keep(resident, shelf, &mut touched)
}

fn keep(resident: &mut Resident, shelf: &impl Shelf, touched: &mut BTreeSet<usize>) -> Result<()> {
    for block in std::mem::take(touched) {
        match resident.keep(block)? {
            Some(kept) => shelf.put(&kept)?,
            None => shelf.delete(block)?,
        }
    }
    Ok(())
}

fn load(shelf: &impl Shelf, asked: Terms) -> Result<(Terms, Resident)> {
    let terms = match shelf.terms()? {
        Some(name) => Terms::named(&name).ok_or_else(unreadable)?,
        None => asked,
    };
    let mut resident = Resident::new(terms.metric, terms.quantization);
    let mut first = 0;
    loop {
        let blocks = shelf.blocks(first, terms.quantization == Quantization::Int8)?;
        let Some(last) = blocks.last() else { break };
        first = last.block + 1;
        for kept in blocks {
            resident.restore(kept)?;
        }
    }
    // Who takes up an object without a vector may search it in another way.
    let terms = if resident.len() == 0 { asked } else { terms };
    if resident.len() == 0 {
        resident = Resident::new(terms.metric, terms.quantization);
    }
    Ok((terms, resident))
}
