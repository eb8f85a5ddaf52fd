use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use edge_ai_core::{Error, ErrorKind, Result, Secret, Timestamp};
use serde::Deserialize;

use crate::wire::write_object;

/// What the tokens are for.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Seconds for which an assertion is good, the most that Google takes.
const LIFE: u64 = 3_600;

/// A service account's key file, as the Google Cloud console gives it.
#[derive(Debug)]
pub(super) struct Credentials {
    pub(super) token_uri: String,
    pub(super) project: Option<String>,
    email: String,
    key_id: Option<String>,
    /// The private key in PKCS #8, in base64.
    key: Secret,
}

#[derive(Deserialize)]
struct KeyFile {
    client_email: String,
    private_key: String,
    #[serde(default)]
    private_key_id: Option<String>,
    #[serde(default)]
    project_id: Option<String>,
    #[serde(default)]
    token_uri: Option<String>,
}

impl Credentials {
    pub(super) fn parse(json: &str) -> Result<Self> {
        let file: KeyFile = serde_json::from_str(json).map_err(|error| {
            // What stands in the file is not for a log: only where it goes wrong is told.
            let place = format!("line {}, column {}", error.line(), error.column());
            wrong(&format!(
                "are not the JSON of a service account's key, with `client_email` and `private_key` ({place})"
            ))
        })?;
        let key = pem_body(&file.private_key)?;
        Ok(Self {
            token_uri: file
                .token_uri
                .unwrap_or_else(|| "https://oauth2.googleapis.com/token".to_owned()),
            project: file.project_id,
            email: file.client_email,
            key_id: file.private_key_id,
            key: Secret::new(key),
        })
    }

    /// The private key.
    pub(super) fn pkcs8(&self) -> Result<Vec<u8>> {
        BASE64_STANDARD
            .decode(self.key.expose())
            .map_err(|_| wrong("have a `private_key` that is not base64"))
    }

    /// What is signed to ask for a token
    /// (<https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests>).
    pub(super) fn unsigned_assertion(&self, now: Timestamp) -> Result<String> {
        let header = write_object(|header| {
            header.field("alg", "RS256");
            header.field("typ", "JWT");
            header.optional("kid", self.key_id.as_deref());
            Ok(())
        })?;
        let claims = write_object(|claims| {
            claims.field("iss", &self.email);
            claims.field("scope", SCOPE);
            claims.field("aud", &self.token_uri);
            claims.field("iat", now.as_secs());
            claims.field("exp", now.as_secs().saturating_add(LIFE));
            Ok(())
        })?;
        let encode = |part: Vec<u8>| BASE64_URL_SAFE_NO_PAD.encode(part);
        Ok(format!("{}.{}", encode(header), encode(claims)))
    }
}

/// What stands between the marks of a PEM of PKCS #8. A file that went through an environment variable may have `\n` for its line breaks.
fn pem_body(pem: &str) -> Result<String> {
    let (_, rest) = pem.split_once("-----BEGIN PRIVATE KEY-----").ok_or_else(|| {
        wrong("have a `private_key` that does not begin with `-----BEGIN PRIVATE KEY-----`")
    })?;
    let (body, _) = rest
        .split_once("-----END PRIVATE KEY-----")
        .ok_or_else(|| wrong("have a `private_key` that is cut off"))?;
    let body: String = body
        .replace("\\n", "")
        .chars()
        .filter(|character| !character.is_whitespace())
        .collect();
    match BASE64_STANDARD.decode(&body) {
        Ok(key) if !key.is_empty() => Ok(body),
        _ => Err(wrong("have a `private_key` that is not base64")),
    }
}

fn wrong(problem: &str) -> Error {
    Error::new(
        ErrorKind::Configuration,
        format!("the credentials `GOOGLE_VERTEX_CREDENTIALS` {problem}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn file(key: &str) -> String {
        json!({"type": "service_account", "project_id": "p-1", "private_key_id": "k1", "private_key": key,
            "client_email": "a@p-1.iam.gserviceaccount.com", "token_uri": "https://oauth2.googleapis.com/token"})
        .to_string()
    }

    #[test]
    fn a_key_is_read_however_its_lines_break() {
        for breaks in ["\n", "\r\n", "\\n"] {
            let pem = [
                "-----BEGIN PRIVATE KEY-----",
                "c2Vj",
                "cmV0",
                "-----END PRIVATE KEY-----",
                "",
            ]
            .join(breaks);
            let credentials = Credentials::parse(&file(&pem)).unwrap();
            assert_eq!(credentials.pkcs8().unwrap(), b"secret");
            assert!(!format!("{credentials:?}").contains("c2Vj"));
        }
    }

    #[test]
    fn what_is_no_key_is_told_without_telling_it() {
        for bad in [
            file("c2VjcmV0"),
            file("-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0"),
            file("-----BEGIN PRIVATE KEY-----\nc2VjcmV0"),
            file("-----BEGIN PRIVATE KEY-----\n?c2VjcmV0\n-----END PRIVATE KEY-----"),
            r#"{"client_email":"c2VjcmV0"}"#.to_owned(),
            "c2VjcmV0".to_owned(),
        ] {
            let error = Credentials::parse(&bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(
                error.message().contains("GOOGLE_VERTEX_CREDENTIALS")
                    && !format!("{error:?}").contains("c2VjcmV0")
            );
        }
    }

    #[test]
    fn the_assertion_says_who_asks_for_what() {
        let pem = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
        let assertion = Credentials::parse(&file(pem))
            .unwrap()
            .unsigned_assertion(Timestamp::from_millis(1_764_000_000_900));
        let assertion = assertion.unwrap();
        let (header, claims) = assertion.split_once('.').unwrap();
        let read = |part: &str| {
            serde_json::from_slice::<Value>(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        assert_eq!(read(header), json!({"alg": "RS256", "typ": "JWT", "kid": "k1"}));
        assert_eq!(
            read(claims),
            json!({"iss": "a@p-1.iam.gserviceaccount.com", "scope": SCOPE, "aud": "https://oauth2.googleapis.com/token",
                "iat": 1_764_000_000_u64, "exp": 1_764_003_600_u64})
        );
    }
}
