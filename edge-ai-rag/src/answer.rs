//! Answering: from the chunks that were found to a text that cites them.

mod citation;
mod frequent;
mod model;
mod outcome;
mod pack;
mod parts;
mod prepare;
mod prompt;
mod provider;
mod scan;
mod source;

#[cfg(test)]
mod tests;

pub use citation::Citation;
pub use model::RagModel;
pub use outcome::{Answer, AnswerEvent, AnswerStream};
pub use provider::RagProvider;
pub use source::Source;
