//! Keys, tenants' own vendor keys and the API that manages them, over SQLite.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "keys/admin.rs"]
mod admin;
#[path = "keys/bench.rs"]
mod bench;
#[path = "keys/jwt.rs"]
mod jwt;
#[path = "keys/vendor_keys.rs"]
mod vendor_keys;
#[path = "keys/virtual_keys.rs"]
mod virtual_keys;
