/// The address that a `Location` header means at `base`, an absolute URL ([RFC 3986, section
/// 5.2](https://www.rfc-editor.org/rfc/rfc3986#section-5.2)); a fragment is left out, dot segments are the server's.
pub(super) fn resolve(base: &str, location: &str) -> String {
    let location = location.split('#').next().unwrap_or_default();
    let (scheme, rest) = base.split_once("://").unwrap_or(("https", base));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    if has_scheme(location) {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{authority}{location}")
    } else if location.is_empty() || location.starts_with('?') {
        format!("{scheme}://{authority}{path}{location}")
    } else {
        let folder = path.rfind('/').and_then(|at| path.get(..=at)).unwrap_or("/");
        format!("{scheme}://{authority}{folder}{location}")
    }
}

fn has_scheme(location: &str) -> bool {
    location.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_resolved_as_browsers_do() {
        for (location, address) in [
            ("https://b.example/x#y", "https://b.example/x"),
            ("//b.example/x", "https://b.example/x"),
            ("/x?y", "https://a.example:8443/x?y"),
            ("x", "https://a.example:8443/one/x"),
            ("?z", "https://a.example:8443/one/two?z"),
            ("file:///etc/passwd", "file:///etc/passwd"),
            ("x:y", "x:y"),
        ] {
            assert_eq!(
                resolve("https://a.example:8443/one/two?q=/r#s", location),
                address
            );
        }
        assert_eq!(resolve("https://a.example", "x"), "https://a.example/x");
    }
}
