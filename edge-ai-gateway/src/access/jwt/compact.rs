use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edge_ai_core::Result;
use serde::Deserialize;
use serde_json::Value;

use super::claims::Claims;
use super::wrong;

/// The most bytes of a token: those of identity providers have one or two thousand.
const MOST: usize = 8 << 10;

/// A token taken apart, and not believed yet.
pub(super) struct Compact<'a> {
    pub(super) header: Header,
    pub(super) claims: Claims,
    /// What the signature is of.
    pub(super) signed: &'a [u8],
    pub(super) signature: Vec<u8>,
}

#[derive(Deserialize)]
pub(super) struct Header {
    pub(super) alg: String,
    pub(super) kid: Option<String>,
    crit: Option<Value>,
}

/// Whether something has the form of a token: three parts, the first of them an object in base64.
pub(super) fn is_meant(token: &[u8]) -> bool {
    token.starts_with(b"eyJ") && token.iter().filter(|byte| **byte == b'.').count() == 2
}

/// Takes a token apart.
///
/// # Errors
/// [`ErrorKind::Authentication`](edge_ai_core::ErrorKind::Authentication) for what is no token.
pub(super) fn read(token: &[u8]) -> Result<Compact<'_>> {
    if token.len() > MOST {
        return Err(wrong("is longer than 8 KiB"));
    }
    let mut parts = token.split(|byte| *byte == b'.');
    let (Some(header), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(wrong("has not three parts"));
    };
    let decode = |part| {
        URL_SAFE_NO_PAD
            .decode(part)
            .map_err(|_| wrong("is not in base64"))
    };
    let signed = token.get(..header.len() + 1 + claims.len()).unwrap_or_default();
    let header: Header =
        serde_json::from_slice(&decode(header)?).map_err(|_| wrong("has a header that does not read"))?;
    if header.crit.is_some() {
        return Err(wrong("asks for extensions (`crit`) that are not known here"));
    }
    let claims =
        serde_json::from_slice(&decode(claims)?).map_err(|_| wrong("has claims that do not read"))?;
    Ok(Compact {
        header,
        claims: Claims(claims),
        signed,
        signature: decode(signature)?,
    })
}
