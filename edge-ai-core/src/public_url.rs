use std::net::{Ipv4Addr, Ipv6Addr};

use http::Uri;

use crate::{Error, ErrorKind, Result};

/// The longest address.
const MAX_LENGTH: usize = 2_048;

/// Checks that an address given by a client is one of the public internet: a program that called anything else would open its own network to its
/// clients ([OWASP: server-side request forgery](https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html)).
///
/// Names are not resolved: from Cloudflare's network none leads into a private one. `local` allows `http` and this machine, for development.
///
/// ```
/// use edge_ai_core::check_public_url;
///
/// assert!(check_public_url("https://example.com/hook", false).is_ok());
/// assert!(check_public_url("https://169.254.169.254/latest", false).is_err());
/// ```
///
/// # Errors
/// [`ErrorKind::InvalidRequest`] with what is wrong; the caller names the field.
pub fn check_public_url(url: &str, local: bool) -> Result<()> {
    let wrong = |what: &str| {
        Err(Error::new(
            ErrorKind::InvalidRequest,
            format!("the address {what}"),
        ))
    };
    if url.len() > MAX_LENGTH {
        return wrong("has at most 2048 characters");
    }
    let uri: Uri = match url.parse() {
        Ok(uri) => uri,
        Err(_) => return wrong("is no URL"),
    };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return wrong("is no complete URL; it looks like https://example.com/hook");
    };
    if authority.as_str().contains('@') {
        return wrong("must not carry a name or password");
    }
    let host = authority.host();
    if local && matches!(host, "localhost" | "127.0.0.1" | "[::1]") && matches!(scheme, "http" | "https") {
        return Ok(());
    }
    if scheme != "https" {
        return wrong("must begin with https://");
    }
    if is_public(host) {
        Ok(())
    } else {
        wrong("must be of a public host, not of a private network or this machine")
    }
}

fn is_public(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[') {
        return inner
            .strip_suffix(']')
            .and_then(|inner| inner.parse().ok())
            .is_some_and(is_public_v6);
    }
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    if let Ok(address) = host.parse() {
        return is_public_v4(address);
    }
    let labels: Vec<&str> = host.split('.').collect();
    let plain = |label: &&str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let Some(last) = labels.last() else { return false };
    // The URL standard reads a host whose last label is a number as an address, in octal, hexadecimal and with parts left out
    // (https://url.spec.whatwg.org/#ends-in-a-number-checker); all but the plain way is refused.
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    let private = matches!(
        *last,
        "localhost"
            | "local"
            | "internal"
            | "intranet"
            | "lan"
            | "home"
            | "corp"
            | "private"
            | "test"
            | "invalid"
            | "onion"
    );
    labels.len() > 1 && labels.iter().all(plain) && !is_number && !private && !host.ends_with(".home.arpa")
}

/// Those of [IANA's registry](https://www.iana.org/assignments/iana-ipv4-special-registry/) are not.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(matches!(a, 0 | 10 | 127 | 224..)
        || (a == 100 && (64..128).contains(&b))
        || (a == 169 && b == 254)
        || (a == 172 && (16..32).contains(&b))
        || (a == 192 && b == 168)
        || (a == 192 && b == 0 && matches!(c, 0 | 2))
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && matches!(b, 18 | 19))
        || (a == 198 && b == 51 && c == 100)
        || (a == 203 && b == 0 && c == 113))
}

/// Of the global unicast addresses, those that do not stand for others ([IANA's
/// registry](https://www.iana.org/assignments/iana-ipv6-special-registry/)): no mapped, translated or tunnelled ones.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    (0x2000..0x4000).contains(&a)
        && !(a == 0x2001 && b < 0x0200)
        && !(a == 0x2001 && b == 0x0db8)
        && a != 0x2002
        && !(a == 0x3fff && b < 0x1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn public_hosts_are_taken() {
        for url in [
            "https://example.com/hook?a=b",
            "https://hooks.example.co.uk:8443/x",
            "https://93.184.215.14/",
            "https://[2606:4700::6810:84e5]/",
            "https://example.com./",
            "https://xn--bcher-kva.example/",
        ] {
            check_public_url(url, false).unwrap();
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for url in [
            "",
            "/hook",
            "example.com",
            "http://example.com/",
            "ftp://example.com/",
            "https://user:pass@example.com/",
            "https://localhost/",
            "https://LOCALHOST./",
            "https://a.localhost/",
            "https://metadata.google.internal/",
            "https://router/",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.0.0.1/",
            "https://0177.0.0.1/",
            "https://10.0.0.0x1/",
            "https://10.1.2.3/",
            "https://100.64.0.1/",
            "https://169.254.169.254/latest",
            "https://172.31.255.255/",
            "https://192.168.0.1/",
            "https://0.0.0.0/",
            "https://224.0.0.1/",
            "https://255.255.255.255/",
            "https://[::]/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[2002:7f00:1::]/",
            "https://[2001::1]/",
            "https://[fe80::1]/",
            "https://[fd00::1]/",
            "https://[ff02::1]/",
            "https://%31%32%37.0.0.1/",
            "https://a..b/",
        ] {
            let error = check_public_url(url, false).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{url}");
        }
        assert!(check_public_url(&format!("https://example.com/{}", "x".repeat(3_000)), false).is_err());
    }

    #[test]
    fn development_allows_this_machine_alone() {
        for url in ["http://localhost:9/", "http://127.0.0.1:9/", "https://[::1]/"] {
            check_public_url(url, true).unwrap();
        }
        for url in ["http://10.0.0.1/", "http://example.com/", "http://127.0.0.2/"] {
            assert!(check_public_url(url, true).is_err(), "{url}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(url in "(https?://)?\\PC{0,40}") {
            let _ = check_public_url(&url, false);
        }

        #[test]
        fn no_way_of_writing_a_private_address_gets_through(b: u8, c: u8, d: u8) {
            let number = u32::from_be_bytes([10, b, c, d]);
            for host in [
                format!("{number}"),
                format!("0x{number:x}"),
                format!("0{number:o}"),
                format!("10.{}", number & 0xff_ffff),
                format!("012.{b}.{c}.{d}"),
                format!("0xa.{b}.{c}.{d}"),
                format!("10.{b}.{c}.{d}."),
                format!("[::ffff:10.{b}.{c}.{d}]"),
                format!("[64:ff9b::10.{b}.{c}.{d}]"),
            ] {
                prop_assert!(!is_public(&host), "{host}");
            }
        }
    }
}
