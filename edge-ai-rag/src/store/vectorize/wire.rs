//! What goes over the binding, as pure functions: records, queries and ids to JSON, answers back, and everything cut to the
//! service's limits.

mod decode;
mod encode;

#[cfg(test)]
mod tests;

pub(super) use decode::{decode_info, decode_matches, decode_mutation, decode_records};
pub(super) use encode::{Search, id_batches, record_batches, search};
