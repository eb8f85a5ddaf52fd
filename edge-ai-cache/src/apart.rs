use edge_ai_core::Context;

/// Writes what keeps the requests of a tenant apart, beside their content: the named labels, the key where it matters, and the headers, of which a
/// context has those alone that routes look at.
pub(crate) fn write_context(out: &mut Vec<u8>, context: &Context, labels: &[String], keys_apart: bool) {
    let mut write = |name: &str, value: Option<&str>| {
        // Before the value, so that none reads as the next name.
        out.push(u8::from(value.is_some()));
        for text in [Some(name), value].into_iter().flatten() {
            out.extend_from_slice(&(text.len() as u64).to_le_bytes());
            out.extend_from_slice(text.as_bytes());
        }
    };
    for label in labels {
        write(label, context.metadata.get(label).map(String::as_str));
    }
    if keys_apart {
        write("key", context.key.as_deref());
    }
    for (name, value) in &context.headers {
        write(name, Some(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(context: &Context, keys_apart: bool) -> Vec<u8> {
        let mut out = Vec::new();
        write_context(&mut out, context, &[], keys_apart);
        out
    }

    #[test]
    fn keys_and_headers_keep_apart() {
        let plain = Context::default();
        let keyed = Context::default().with_key("k1");
        assert!(written(&plain, false).is_empty() && written(&keyed, false).is_empty());
        assert_ne!(written(&plain, true), written(&keyed, true));
        assert_ne!(
            written(&Context::default().with_key("k2"), true),
            written(&keyed, true)
        );
        let mut headed = Context::default();
        headed.headers.insert("x-plan".into(), "pro".into());
        let mut other = Context::default();
        other.headers.insert("x-plan".into(), "prose".into());
        assert!(!written(&headed, false).is_empty());
        assert_ne!(written(&headed, false), written(&other, false));
    }
}
