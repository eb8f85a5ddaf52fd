//! The Gemini dialect and its client, against exchanges in the form that Google documents.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod clients;
mod properties;
mod provider;
mod requests;

macro_rules! fixture {
    ($path:literal) => {
        bytes::Bytes::from_static(include_bytes!(concat!("../fixtures/gemini/", $path)))
    };
}

pub(crate) use fixture;
