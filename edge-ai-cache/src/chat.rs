//! A chat model that answers from a cache what it has answered before.

mod key;
mod model;

pub use key::chat_key;
pub use model::CachedChatModel;
