//! JSON as vendors and clients write it: read field by field with errors that name the field, written in a set order, unknown
//! fields kept as their text.

mod fields;
mod frames;
mod id;
mod path;
mod scan;
mod splice;
mod writer;

pub(crate) use fields::{Fields, elements, read};
pub(crate) use frames::{FrameDecoder, Held, frames, items};
pub(crate) use id::shown_id;
pub(crate) use path::Path;
pub(crate) use splice::{splice, splice_fields};
pub(crate) use writer::{ArrayWriter, ObjectWriter, write_object};
