//! Who may ask: AWS's Signature Version 4 by the keys of AWS's own examples, or a Bedrock API key.

use edge_ai_core::{Secret, Timestamp};
use edge_ai_providers::bedrock::sigv4::{
    ALGORITHM, Scope, amz_date, canonical_request, sha256_hex, signature, string_to_sign,
};

use super::error::Error;
use crate::call::Call;

/// The keys that AWS's documentation shows, which are nobody's.
const ACCESS_KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET_ACCESS_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// How far a client's clock may be off.
const SKEW_MS: u64 = 5 * 60 * 1000;

/// Checks the credentials of a request.
pub(super) fn check(call: &Call<'_>) -> Result<(), Error> {
    let Some(authorization) = call.header("authorization") else {
        return Err(
            Error::of(403, "Missing Authentication Token").named("MissingAuthenticationTokenException")
        );
    };
    if let Some(key) = authorization.strip_prefix("Bearer ") {
        let refused = key.trim().is_empty() || key.starts_with("invalid");
        let message = "Authentication failed: Please make sure your API Key is valid.";
        return if refused {
            Err(Error::of(403, message))
        } else {
            Ok(())
        };
    }
    let claim = Claim::read(authorization).ok_or_else(|| {
        Error::of(
            403,
            "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters.",
        )
        .named("IncompleteSignatureException")
    })?;
    if claim.access_key_id != ACCESS_KEY_ID {
        let message = "The security token included in the request is invalid.";
        return Err(Error::of(403, message).named("UnrecognizedClientException"));
    }
    let date = call.header("x-amz-date").unwrap_or_default();
    let now = call.app.clock.unix_ms();
    let around = [now.saturating_sub(SKEW_MS), now + SKEW_MS].map(|ms| amz_date(Timestamp::from_millis(ms)));
    let expired = call
        .header("x-amz-security-token")
        .is_some_and(|token| token.starts_with("expired"));
    if expired {
        return Err(
            Error::of(403, "The security token included in the request is expired")
                .named("ExpiredTokenException"),
        );
    }
    // Dates of one form are in the order of their texts.
    if !(around[0].as_str()..=around[1].as_str()).contains(&date) {
        return Err(mismatch("Signature expired or not yet current"));
    }
    claim.verify(call, date)
}

/// What the `authorization` header says.
struct Claim<'a> {
    access_key_id: &'a str,
    region: &'a str,
    service: &'a str,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Claim<'a> {
    fn read(authorization: &'a str) -> Option<Self> {
        let parts = authorization.strip_prefix(ALGORITHM)?;
        let part = |name: &str| {
            let mut parts = parts.split(',').map(str::trim);
            parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
        };
        let mut credential = part("Credential")?.split('/');
        let access_key_id = credential.next()?;
        let _day = credential.next()?;
        Some(Self {
            access_key_id,
            region: credential.next()?,
            service: credential.next()?,
            signed_headers: part("SignedHeaders")?.split(';').collect(),
            signature: part("Signature")?,
        })
    }

    fn verify(&self, call: &Call<'_>, date: &str) -> Result<(), Error> {
        let must = ["host", "x-amz-date", "x-amz-security-token"];
        let unsigned = must
            .into_iter()
            .find(|name| call.header(name).is_some() && !self.signed_headers.contains(name));
        if let Some(name) = unsigned {
            return Err(mismatch(&format!(
                "'{name}' must be a 'SignedHeader' in the AWS Authorization."
            )));
        }
        let told = call.header("x-amz-content-sha256");
        if told.is_some_and(|told| told != sha256_hex(call.body)) {
            return Err(mismatch(
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ));
        }
        if self.service != "bedrock" {
            return Err(mismatch(
                "Credential should be scoped to correct service: 'bedrock'.",
            ));
        }
        let headers: Vec<_> = self
            .signed_headers
            .iter()
            .map(|name| (*name, call.header(name).unwrap_or_default()))
            .collect();
        let scope = Scope {
            date,
            region: self.region,
            service: self.service,
        };
        // At its own address a request's path is the service's; here it is below `/bedrock`.
        let paths = [format!("/bedrock{}", call.path), call.path.to_owned()];
        let signed = paths.iter().any(|path| {
            let canonical = canonical_request(call.method.as_str(), path, call.query, &headers, call.body);
            let text = string_to_sign(&scope, &canonical);
            signature(&Secret::new(SECRET_ACCESS_KEY), &scope, &text) == self.signature
        });
        if signed {
            return Ok(());
        }
        Err(mismatch(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
             Key and signing method. Consult the service documentation for details.",
        ))
    }
}

fn mismatch(message: &str) -> Error {
    Error::of(403, message).named("InvalidSignatureException")
}
