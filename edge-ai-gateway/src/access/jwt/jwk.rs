use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::JwtAlgorithm;

/// The fewest bytes of an RSA modulus, 2048 bits ([RFC 7518](https://www.rfc-editor.org/rfc/rfc7518#section-3.3)), and the most.
const RSA: std::ops::RangeInclusive<usize> = 256..=1_024;
/// The fewest bytes of a secret: as many as the hash ([RFC 7518](https://www.rfc-editor.org/rfc/rfc7518#section-3.2)).
const OCT: std::ops::RangeInclusive<usize> = 32..=1_024;

/// A key that can check signatures of one algorithm.
#[derive(Clone)]
pub(super) struct Jwk {
    pub(super) kid: Option<String>,
    pub(super) algorithm: JwtAlgorithm,
    /// The key as JSON, of nothing but what checking needs.
    pub(super) public: String,
}

#[derive(Deserialize)]
struct Fields {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    k: Option<String>,
}

impl Jwk {
    /// The key; `None` for one that is of another kind, too weak, or not for signatures.
    pub(super) fn read(value: Map<String, Value>) -> Option<Self> {
        let fields: Fields = serde_json::from_value(Value::Object(value)).ok()?;
        let length = |text: &Option<String>| {
            URL_SAFE_NO_PAD
                .decode(text.as_deref()?)
                .ok()
                .map(|bytes| bytes.len())
        };
        let (algorithm, public) = match fields.kty.as_str() {
            "RSA" if RSA.contains(&length(&fields.n)?) => (
                JwtAlgorithm::Rs256,
                json!({"kty": "RSA", "n": fields.n, "e": fields.e?}),
            ),
            "EC" if fields.crv.as_deref() == Some("P-256")
                && length(&fields.x)? == 32
                && length(&fields.y)? == 32 =>
            {
                (
                    JwtAlgorithm::Es256,
                    json!({"kty": "EC", "crv": "P-256", "x": fields.x, "y": fields.y}),
                )
            }
            "oct" if OCT.contains(&length(&fields.k)?) => {
                (JwtAlgorithm::Hs256, json!({"kty": "oct", "k": fields.k}))
            }
            _ => return None,
        };
        let for_this = fields.alg.is_none_or(|alg| alg == algorithm.as_str());
        let for_signatures = fields.purpose.is_none_or(|purpose| purpose == "sig");
        (for_this && for_signatures).then(|| Self {
            kid: fields.kid,
            algorithm,
            public: public.to_string(),
        })
    }
}
