//! A chat model that answers from a cache what it has answered before.

mod entry;
mod keep;
mod key;
mod look_up;
mod model;
mod refresh;
mod semantic;

pub use key::chat_key;
pub use model::CachedChatModel;
