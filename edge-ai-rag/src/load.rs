//! Documents from elsewhere.

mod location;
mod url;

pub use url::UrlLoader;
