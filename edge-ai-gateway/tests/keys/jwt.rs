//! Tokens of an identity provider, and those who forge them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use edge_ai_core::{Background, Error, ErrorKind, Inline, Timestamp};
use edge_ai_gateway::{Authenticator, ClaimMapping, Jwt, JwtAlgorithm, Presented, Principal, RingCrypto};
use edge_ai_testkit::scripted::{ScriptedHttpClient, ScriptedResponse};
use futures_executor::block_on;
use http::HeaderMap;
use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};

const NOW: u64 = 1_795_000_000;
const ISSUER: &str = "https://login.example.com";
const SECRET: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn rsa() -> RsaKeyPair {
    let text: String = include_str!("rsa-for-tests.pk8.base64")
        .split_whitespace()
        .collect();
    RsaKeyPair::from_pkcs8(&STANDARD.decode(text).unwrap()).unwrap()
}

fn rsa_jwk(kid: &str) -> Value {
    let key: ring::signature::RsaPublicKeyComponents<Vec<u8>> = rsa().public().into();
    json!({"kty": "RSA", "kid": kid, "alg": "RS256", "use": "sig", "n": encode(key.n), "e": encode(key.e)})
}

fn claims(more: Value) -> Value {
    let mut claims =
        json!({"iss": ISSUER, "aud": "gateway", "sub": "user-1", "tenant": "acme", "exp": NOW + 600});
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

/// A token whose signature is made by `sign`.
fn token_by(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    let signature = sign(signed.as_bytes());
    format!("{signed}.{}", encode(signature))
}

fn rs256(message: &[u8]) -> Vec<u8> {
    let key = rsa();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
        .unwrap();
    signature
}

fn hs256(secret: &[u8]) -> impl Fn(&[u8]) -> Vec<u8> {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
    move |message| ring::hmac::sign(&key, message).as_ref().to_vec()
}

fn token(claims: &Value) -> String {
    token_by(&json!({"alg": "RS256", "kid": "k1"}), claims, rs256)
}

fn fixed(keys: Value) -> Jwt {
    Jwt::static_keys(ISSUER, "gateway", &json!({"keys": keys}).to_string(), RingCrypto).unwrap()
}

fn show_at(jwt: &Jwt, header: &'static str, value: &str, now: u64) -> Result<Option<Arc<Principal>>, Error> {
    let headers = HeaderMap::from_iter([(header.parse().unwrap(), value.parse().unwrap())]);
    let background: Arc<dyn Background> = Arc::new(Inline);
    let presented = Presented::new(&headers, Timestamp::from_millis(now * 1_000), &background);
    block_on(jwt.authenticate(&presented))
}

fn show(jwt: &Jwt, token: &str) -> Result<Option<Arc<Principal>>, Error> {
    show_at(jwt, "authorization", &format!("Bearer {token}"), NOW)
}

fn refused(jwt: &Jwt, token: &str, why: &str) {
    let error = show(jwt, token).unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Authentication, Some("invalid_token")),
        "{error}"
    );
    assert!(error.message().contains(why), "{error}");
}

#[test]
fn each_algorithm_opens_with_its_own_kind_of_key() {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
    let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
    let ec = json!({"kty": "EC", "crv": "P-256", "kid": "e", "x": encode(x), "y": encode(y)});
    let oct = json!({"kty": "oct", "kid": "s", "k": encode(SECRET)});
    let jwt = fixed(json!([rsa_jwk("k1"), ec, oct]));
    let es256 = |message: &[u8]| pair.sign(&random, message).unwrap().as_ref().to_vec();
    for token in [
        token(&claims(json!({}))),
        token_by(&json!({"alg": "ES256", "kid": "e"}), &claims(json!({})), es256),
        token_by(
            &json!({"alg": "HS256", "kid": "s"}),
            &claims(json!({})),
            hs256(SECRET),
        ),
        token_by(&json!({"alg": "HS256"}), &claims(json!({})), hs256(SECRET)),
    ] {
        let principal = show(&jwt, &token).unwrap().unwrap();
        assert_eq!(
            (principal.tenant.as_deref(), principal.key.as_deref()),
            (Some("acme"), Some("user-1"))
        );
    }
}

#[test]
fn forgeries_are_refused() {
    let jwt = fixed(json!([rsa_jwk("k1")]));
    let good = claims(json!({}));
    let n = rsa_jwk("k1")["n"].as_str().unwrap().to_owned();
    for (header, sign) in [
        (
            json!({"alg": "none"}),
            Box::new(|_: &[u8]| Vec::new()) as Box<dyn Fn(&[u8]) -> Vec<u8>>,
        ),
        (json!({"alg": "None", "kid": "k1"}), Box::new(rs256)),
        (json!({"alg": "rs256", "kid": "k1"}), Box::new(rs256)),
        (json!({"alg": "RS512", "kid": "k1"}), Box::new(rs256)),
        (
            json!({"alg": "HS256", "kid": "k1"}),
            Box::new(hs256(n.as_bytes())),
        ),
        (
            json!({"alg": "ES256", "kid": "k1"}),
            Box::new(|_: &[u8]| vec![0; 64]),
        ),
    ] {
        refused(&jwt, &token_by(&header, &good, sign), "algorithm");
    }
    for kid in ["k2", "", "../k1", "k1' OR '1'='1", "k1\0"] {
        refused(
            &jwt,
            &token_by(&json!({"alg": "RS256", "kid": kid}), &good, rs256),
            "key",
        );
    }
    let own = json!({"alg": "RS256", "kid": "x", "jwk": rsa_jwk("x"), "jku": "https://evil.example/keys", "x5u": "https://evil.example"});
    refused(&jwt, &token_by(&own, &good, rs256), "key");
    refused(
        &jwt,
        &token_by(&json!({"alg": "RS256", "kid": "k1"}), &good, |_| vec![0; 256]),
        "signature",
    );
    refused(
        &jwt,
        &token_by(&json!({"alg": "RS256", "kid": "k1", "crit": []}), &good, rs256),
        "crit",
    );
    let parts: Vec<_> = token(&good).split('.').map(str::to_owned).collect();
    let other = encode(claims(json!({"tenant": "globex"})).to_string());
    refused(&jwt, &format!("{}.{other}.{}", parts[0], parts[2]), "signature");
    refused(&jwt, &format!("{}.{}.", parts[0], parts[1]), "signature");
    refused(
        &jwt,
        &format!("{}.{}.{}", parts[0], parts[1], "A".repeat(9_000)),
        "8 KiB",
    );
    let twice = encode(r#"{"alg":"none","alg":"RS256","kid":"k1"}"#);
    refused(&jwt, &format!("{twice}.{}.{}", parts[1], parts[2]), "header");
}

#[test]
fn claims_are_held_to() {
    let jwt = fixed(json!([rsa_jwk("k1")]));
    for (more, why) in [
        (json!({"aud": "other"}), "audience"),
        (json!({"aud": ["other", 7]}), "audience"),
        (json!({"aud": null}), "audience"),
        (json!({"exp": NOW - 60}), "expired"),
        (json!({"exp": null}), "expired"),
        (json!({"exp": "9999999999"}), "expired"),
        (json!({"nbf": NOW + 61}), "not valid yet"),
        (json!({"nbf": "soon"}), "not valid yet"),
    ] {
        refused(&jwt, &token(&claims(more)), why);
    }
    for more in [
        json!({"exp": NOW - 59}),
        json!({"nbf": NOW + 60}),
        json!({"aud": ["x", "gateway"]}),
    ] {
        assert!(show(&jwt, &token(&claims(more))).unwrap().is_some());
    }
    // Another issuer's token and a key are for another way in.
    assert_eq!(
        show(&jwt, &token(&claims(json!({"iss": "https://evil.example"})))).unwrap(),
        None
    );
    assert_eq!(show(&jwt, "sk-something").unwrap(), None);
    for tenant in [Value::Null, json!(7), json!("a/b"), json!("")] {
        let error = show(&jwt, &token(&claims(json!({"tenant": tenant})))).unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (ErrorKind::PermissionDenied, Some("token_without_tenant"))
        );
    }
}

#[test]
fn claims_say_what_may_be_asked_for() {
    let mapping = ClaimMapping::default()
        .tenant("org.name")
        .models("scope")
        .roles("https://x.example/roles");
    let jwt = fixed(json!([rsa_jwk("k1")])).mapping(mapping);
    let more = json!({"org": {"name": "globex"}, "scope": "openai/* smart", "metadata": {"team": "a", "step": 3, "no": {}},
        "https://x.example/roles": ["admin"]});
    let principal = show(&jwt, &token(&claims(more))).unwrap().unwrap();
    assert_eq!(principal.tenant.as_deref(), Some("globex"));
    assert!(
        principal.models.permit("openai/x")
            && principal.models.permit("smart")
            && !principal.models.permit("b/c")
    );
    assert_eq!(principal.metadata.len(), 2);
    assert_eq!(
        (principal.metadata["step"].as_str(), principal.roles[0].as_str()),
        ("3", "admin")
    );
    let none = show(
        &jwt,
        &token(&claims(json!({"org": {"name": "globex"}, "scope": []}))),
    )
    .unwrap()
    .unwrap();
    assert!(!none.models.permit("smart"));
}

#[test]
fn keys_are_read_rarely_and_outlive_their_address() {
    let reads = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&reads);
    let http = ScriptedHttpClient::from_fn(move |_| match counted.fetch_add(1, Ordering::Relaxed) {
        0 => Err(Error::new(ErrorKind::Unavailable, "down")),
        1 => Ok(ScriptedResponse::json(
            200,
            &json!({"keys": [{"kty": "oct", "kid": "k0", "k": encode(SECRET)}, rsa_jwk("k1")]}),
        )),
        2 => Ok(ScriptedResponse::json(200, &json!({"keys": [rsa_jwk("k2")]}))),
        _ => Ok(ScriptedResponse::json(500, &json!({}))),
    });
    let jwt = Jwt::jwks(
        ISSUER,
        "gateway",
        "https://login.example.com/jwks",
        Arc::new(http),
        RingCrypto,
    )
    .unwrap();
    let at = |kid: &str, seconds: u64| {
        let claims = claims(json!({"exp": NOW + 1_000_000}));
        let token = token_by(&json!({"alg": "RS256", "kid": kid}), &claims, rs256);
        let outcome = show_at(&jwt, "authorization", &format!("Bearer {token}"), NOW + seconds);
        outcome.map(|_| 200).unwrap_or_else(|error| error.status())
    };
    assert_eq!([at("k1", 0), at("k1", 1), at("k1", 30)], [503, 503, 200]);
    assert_eq!(reads.load(Ordering::Relaxed), 2);
    for second in 31..60 {
        assert_eq!(at("made-up", second), 401);
    }
    assert_eq!(reads.load(Ordering::Relaxed), 2);
    assert_eq!([at("k2", 60), at("k1", 61)], [200, 401]);
    // The address is out from here on.
    assert_eq!(
        [at("k2", 3_700), at("k2", 80_000), at("k2", 90_000)],
        [200, 200, 503]
    );
    let secret = jwt.clone().algorithms([JwtAlgorithm::Hs256]);
    let forged = token_by(
        &json!({"alg": "HS256", "kid": "k0"}),
        &claims(json!({})),
        hs256(SECRET),
    );
    assert!(
        show(&secret, &forged).is_err(),
        "a secret that anybody can read signs nothing"
    );
}

#[test]
fn access_comes_in_its_own_header() {
    let keys = json!({"keys": [rsa_jwk("k1")]});
    let http = ScriptedHttpClient::from_fn(move |request| {
        assert_eq!(
            request.uri(),
            "https://acme.cloudflareaccess.com/cdn-cgi/access/certs"
        );
        Ok(ScriptedResponse::json(200, &keys))
    });
    let access = Jwt::cloudflare_access(
        "acme.cloudflareaccess.com",
        "tag",
        Arc::new(http.clone()),
        RingCrypto,
    )
    .unwrap();
    let more = json!({"iss": "https://acme.cloudflareaccess.com", "aud": ["tag"], "email": "a@example.com", "sub": "u"});
    let good = token(&claims(more));
    let principal = show_at(&access, "cf-access-jwt-assertion", &good, NOW)
        .unwrap()
        .unwrap();
    assert_eq!(
        (principal.tenant.as_deref(), principal.name.as_deref()),
        (Some("acme"), Some("a@example.com"))
    );
    assert_eq!(show(&access, &good).unwrap(), None);
    for wrong in ["", "x", "a.b.c", &token(&claims(json!({})))] {
        assert!(
            show_at(&access, "cf-access-jwt-assertion", wrong, NOW).is_err(),
            "{wrong}"
        );
    }
    for team in ["", "evil.example.com", "a/b"] {
        assert!(Jwt::cloudflare_access(team, "tag", Arc::new(http.clone()), RingCrypto).is_err());
    }
}

#[test]
fn what_is_too_weak_or_checks_nothing_is_no_configuration() {
    for keys in [
        json!([]),
        json!([{"kty": "oct", "k": encode("short")}]),
        json!([{"kty": "RSA", "n": encode([1; 128]), "e": "AQAB"}]),
        json!([{"kty": "EC", "crv": "P-384", "x": encode([1; 48]), "y": encode([1; 48])}]),
        json!([{"kty": "oct", "k": encode(SECRET), "use": "enc"}]),
        json!([{"kty": "oct", "k": encode(SECRET), "alg": "RS256"}]),
    ] {
        let jwks = json!({"keys": keys}).to_string();
        assert_eq!(
            Jwt::static_keys(ISSUER, "a", &jwks, RingCrypto)
                .unwrap_err()
                .kind(),
            ErrorKind::Configuration,
            "{keys}"
        );
    }
    let http = || Arc::new(ScriptedHttpClient::new());
    assert!(Jwt::jwks(ISSUER, "", "https://x/y", http(), RingCrypto).is_err());
    assert!(Jwt::jwks(ISSUER, "a", "http://x.example/y", http(), RingCrypto).is_err());
    assert!(JwtAlgorithm::parse("none").is_err());
    let strict = fixed(json!([rsa_jwk("k1")])).leeway(Duration::ZERO).audience("b");
    refused(
        &strict,
        &token(&claims(json!({"exp": NOW, "aud": "b"}))),
        "expired",
    );
}

proptest! {
    #[test]
    fn no_bytes_open(bytes in "eyJ[A-Za-z0-9_.-]{0,60}") {
        let jwt = fixed(json!([{"kty": "oct", "k": encode(SECRET)}]));
        prop_assert!(!matches!(show(&jwt, &bytes), Ok(Some(_))));
    }
}
