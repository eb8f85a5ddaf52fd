use std::fmt::Write as _;

use edge_ai_core::Secret;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use super::ALGORITHM;

/// What a signature is good for: a day, a region and a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    /// The time, as `x-amz-date` has it.
    pub date: &'a str,
    /// The region, such as `us-east-1`.
    pub region: &'a str,
    /// The service, such as `bedrock`.
    pub service: &'a str,
}

impl Scope<'_> {
    /// The scope in the `authorization` header, such as `20150830/us-east-1/bedrock/aws4_request`.
    pub fn name(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.day(), self.region, self.service)
    }

    fn day(&self) -> &str {
        self.date.get(..8).unwrap_or(self.date)
    }
}

/// What is signed: the scope and the digest of the [canonical request](super::canonical_request).
pub fn string_to_sign(scope: &Scope<'_>, canonical_request: &str) -> String {
    let digest = sha256_hex(canonical_request.as_bytes());
    format!("{ALGORITHM}\n{}\n{}\n{digest}", scope.date, scope.name())
}

/// The signature in hexadecimal digits.
pub fn signature(secret_access_key: &Secret, scope: &Scope<'_>, string_to_sign: &str) -> String {
    let mut key = keyed(
        format!("AWS4{}", secret_access_key.expose()).as_bytes(),
        scope.day(),
    );
    for part in [scope.region, scope.service, "aws4_request"] {
        key = keyed(&key, part);
    }
    hex(&keyed(&key, string_to_sign))
}

/// The SHA-256 digest in hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn keyed(key: &[u8], text: &str) -> [u8; 32] {
    // A key of any length is taken: there is no error to come.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return [0; 32];
    };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::super::canonical_request;
    use super::*;

    const DATE: &str = "20150830T123600Z";
    const SCOPE: Scope<'_> = Scope {
        date: DATE,
        region: "us-east-1",
        service: "service",
    };

    struct Vector {
        name: &'static str,
        method: &'static str,
        path: &'static str,
        query: &'static str,
        headers: &'static [(&'static str, &'static str)],
        body: &'static str,
        /// The digest of the canonical request, which is the last line of what is signed.
        digest: &'static str,
        signature: &'static str,
    }

    const HOST: (&str, &str) = ("host", "example.amazonaws.com");
    const TIME: (&str, &str) = ("x-amz-date", DATE);
    const PLAIN: Vector = Vector {
        name: "get-vanilla",
        method: "GET",
        path: "/",
        query: "",
        headers: &[HOST, TIME],
        body: "",
        digest: "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63",
        signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    };

    /// AWS's own (<https://github.com/awslabs/aws-c-auth/tree/main/tests/aws-signing-test-suite/v4>), with the headers that each signs.
    const VECTORS: &[Vector] = &[
        PLAIN,
        Vector {
            name: "get-vanilla-with-session-token",
            headers: &[
                HOST,
                TIME,
                (
                    "x-amz-security-token",
                    "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267",
                ),
            ],
            digest: "067b36aa60031588cea4a4cde1f21215227a047690c72247f1d70b32fbbfad2b",
            signature: "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
            ..PLAIN
        },
        Vector {
            name: "post-x-www-form-urlencoded",
            method: "POST",
            headers: &[
                TIME,
                ("content-length", "13"),
                ("content-type", "application/x-www-form-urlencoded"),
                HOST,
                (
                    "x-amz-content-sha256",
                    "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
                ),
            ],
            body: "Param1=value1",
            digest: "b1edd1d03544c25390e32085d55b57acc9a3961bb59415ff86c45c3d89d16cfb",
            signature: "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
            ..PLAIN
        },
        Vector {
            name: "get-vanilla-query-order-key-case",
            query: "Param2=value2&Param1=value1",
            digest: "816cd5b414d056048ba4f7c5386d6e0533120fb1fcfa93762cf0fc39e2cf19e0",
            signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ..PLAIN
        },
        Vector {
            name: "get-utf8",
            path: "/ሴ",
            digest: "2a0a97d02205e45ce2e994789806b19270cfbbb0921b278ccf58f5249ac42102",
            signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
            ..PLAIN
        },
        Vector {
            name: "get-space-normalized",
            path: "/example space/",
            digest: "63ee75631ed7234ae61b5f736dfc7754cdccfedbff4b5128a915706ee9390d86",
            signature: "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
            ..PLAIN
        },
        Vector {
            name: "get-header-value-trim",
            headers: &[
                HOST,
                ("my-header1", " value1"),
                ("my-header2", " \"a   b   c\""),
                TIME,
            ],
            digest: "a726db9b0df21c14f559d0a978e563112acb1b9e05476f0a6a1c7d68f28605c7",
            signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
            ..PLAIN
        },
        Vector {
            name: "post-sts-header-after",
            method: "POST",
            digest: "553f88c9e4d10fc9e109e2aeb65f030801b70c2f6468faca261d401ae622fc87",
            signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ..PLAIN
        },
    ];

    #[test]
    fn published_requests_have_their_published_signatures() {
        let secret = Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        for vector in VECTORS {
            let canonical = canonical_request(
                vector.method,
                vector.path,
                vector.query,
                vector.headers,
                vector.body.as_bytes(),
            );
            let signed = string_to_sign(&SCOPE, &canonical);
            let expect = format!(
                "AWS4-HMAC-SHA256\n{DATE}\n20150830/us-east-1/service/aws4_request\n{}",
                vector.digest
            );
            assert_eq!(signed, expect, "{}: {canonical}", vector.name);
            assert_eq!(
                signature(&secret, &SCOPE, &signed),
                vector.signature,
                "{}",
                vector.name
            );
        }
    }
}
