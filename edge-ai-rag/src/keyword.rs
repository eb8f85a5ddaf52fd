//! Keyword stores.

mod fts5;

pub use fts5::{Fts5Store, Tokenizer};
