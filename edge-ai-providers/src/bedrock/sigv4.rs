//! AWS's Signature Version 4: pure functions from a request, a time and a secret to its signature.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.

mod canonical;
mod date;
mod signature;

pub use canonical::canonical_request;
pub use date::amz_date;
pub use signature::{Scope, sha256_hex, signature, string_to_sign};

/// The algorithm, by its name in the `authorization` header.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";

pub(super) use canonical::encode_segment;
