//! The token endpoint of service accounts: a signed assertion in, an access token out
//! (<https://developers.google.com/identity/protocols/oauth2/service-account>).
//!
//! The assertion's form is checked, its claims and its times; the signature is only seen to be one of RSA with 2,048 bits or more, for the key is
//! nobody's here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::error::Error;
use crate::call::{Call, percent_decode};
use crate::id;
use crate::reply::Reply;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// Seconds that an assertion may live.
const LIFE: u64 = 3600;
/// Seconds that clocks may differ by.
const SKEW: u64 = 300;

pub(super) fn answer(call: &Call<'_>) -> Result<Reply, Error> {
    if call.method != "POST" {
        return Err(Error::of(405, "Method Not Allowed"));
    }
    let form = String::from_utf8_lossy(call.body).into_owned();
    let field = |name: &str| {
        form.split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| percent_decode(value))
    };
    let refused = |error: &str, description: &str| {
        let body = json!({ "error": error, "error_description": description });
        Ok(Reply::json(&body).with_status(400))
    };
    if field("grant_type").as_deref() != Some(GRANT) {
        return refused("unsupported_grant_type", &format!("grant_type must be {GRANT}"));
    }
    let Some(assertion) = field("assertion") else {
        return refused("invalid_request", "Missing required parameter: assertion");
    };
    match check(&assertion, call.app.clock.unix_s()) {
        Ok(()) => Ok(Reply::json(&json!({
            "access_token": format!("ya29.{}", id::alphanumeric(call.number, "access token", 30)),
            "expires_in": 3599, "token_type": "Bearer" }))),
        Err(problem) => refused("invalid_grant", problem),
    }
}

fn check(assertion: &str, now: u64) -> Result<(), &'static str> {
    let parts: Vec<_> = assertion.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else {
        return Err("Bad Request: the assertion is not of three parts");
    };
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let json = |part: &str| decoded(part).and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let header = json(header).ok_or("Invalid JWT: the header does not read")?;
    if header.get("alg") != Some(&"RS256".into()) || header.get("typ") != Some(&"JWT".into()) {
        return Err("Invalid JWT: alg must be RS256 and typ JWT");
    }
    let claims = json(claims).ok_or("Invalid JWT: the claims do not read")?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    if !text("iss").contains('@') {
        return Err("Invalid grant: account not found");
    }
    if !text("scope").split(' ').any(|scope| scope == SCOPE) {
        return Err("Invalid OAuth scope or ID token audience provided.");
    }
    if !text("aud").ends_with("/token") {
        return Err("Invalid JWT: Failed audience check.");
    }
    let time = |name: &str| claims.get(name).and_then(Value::as_u64).unwrap_or_default();
    let (issued, ends) = (time("iat"), time("exp"));
    if issued > now + SKEW || ends + SKEW < now || ends <= issued || ends - issued > LIFE {
        return Err(
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. \
                    Check your iat and exp values in the JWT claim.",
        );
    }
    match decoded(signature) {
        Some(bytes) if bytes.len() >= 256 => Ok(()),
        _ => Err("Invalid JWT Signature."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_764_000_000;

    fn assertion(alg: &str, change: impl FnOnce(&mut Value), signature: usize) -> String {
        let mut claims = json!({ "iss": "a@b.iam.gserviceaccount.com", "scope": SCOPE,
            "aud": "https://oauth2.googleapis.com/token", "iat": NOW, "exp": NOW + LIFE });
        change(&mut claims);
        let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = encode(json!({ "alg": alg, "typ": "JWT" }));
        format!(
            "{header}.{}.{}",
            encode(claims),
            URL_SAFE_NO_PAD.encode(vec![7; signature])
        )
    }

    #[test]
    fn only_an_assertion_of_the_right_form_is_taken() {
        let same = |_: &mut Value| {};
        assert_eq!(check(&assertion("RS256", same, 256), NOW), Ok(()));
        for wrong in [
            assertion("none", same, 256),
            assertion("RS256", same, 32),
            assertion("RS256", |claims| claims["exp"] = (NOW + 2 * LIFE).into(), 256),
            assertion("RS256", |claims| claims["iat"] = (NOW + 1000).into(), 256),
            assertion("RS256", |claims| claims["scope"] = "email".into(), 256),
            assertion("RS256", |claims| claims["iss"] = "".into(), 256),
            "a.b".to_owned(),
            "a.b.c".to_owned(),
        ] {
            assert!(check(&wrong, NOW).is_err(), "{wrong}");
        }
    }
}
