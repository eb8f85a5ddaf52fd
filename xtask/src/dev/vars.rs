//! Variables of the Worker, and the upstreams it gets when it is given none.

use std::path::Path;
use std::str::FromStr;

/// `KEY=VALUE`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Var {
    pub(crate) key: String,
    pub(crate) value: String,
}

impl FromStr for Var {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((key, value)) = text.split_once('=') else {
            return Err(format!("KEY=VALUE is expected, as in --var {text}=value"));
        };
        let mut characters = key.chars();
        let starts_well = characters
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
        if !starts_well || !characters.all(|other| other.is_ascii_alphanumeric() || other == '_') {
            return Err(format!(
                "`{key}` is no name for a variable: letters, digits and _, not starting with a digit"
            ));
        }
        Ok(Self {
            key: key.to_owned(),
            value: value.to_owned(),
        })
    }
}

/// The names that the developer set in files beside the Worker's configuration, as wrangler finds them.
pub(crate) fn configured(worker: &Path) -> Vec<String> {
    let read = |file: &str| std::fs::read_to_string(worker.join(file)).ok();
    // wrangler reads the others only where there is no `.dev.vars`.
    let text =
        read(".dev.vars").unwrap_or_else(|| [".env", ".env.local"].into_iter().filter_map(read).collect());
    text.lines()
        .filter_map(|line| Some(line.trim().parse::<Var>().ok()?.key))
        .collect()
}

/// A vendor that the stand-in stands in for: the setting with its address, where that is, and the settings that say who asks.
struct Upstream {
    base_url: &'static str,
    path: &'static str,
    credentials: &'static [(&'static str, &'static str)],
    /// Other credentials, in place of which none are needed.
    instead: &'static [&'static str],
}

impl Upstream {
    const fn with_key(
        base_url: &'static str,
        path: &'static str,
        credentials: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self {
            base_url,
            path,
            credentials,
            instead: &[],
        }
    }
}

const UPSTREAMS: &[Upstream] = &[
    Upstream::with_key("OPENAI_BASE_URL", "openai/v1", &[("OPENAI_API_KEY", "local")]),
    Upstream::with_key(
        "ANTHROPIC_BASE_URL",
        "anthropic",
        &[("ANTHROPIC_API_KEY", "local")],
    ),
    Upstream::with_key("GEMINI_BASE_URL", "gemini", &[("GEMINI_API_KEY", "local")]),
    Upstream::with_key(
        "COHERE_BASE_URL",
        "cohere/compatibility/v1",
        &[("COHERE_API_KEY", "local")],
    ),
    Upstream::with_key("JINA_BASE_URL", "jina/v1", &[("JINA_API_KEY", "local")]),
    Upstream::with_key("VOYAGE_BASE_URL", "voyage/v1", &[("VOYAGE_API_KEY", "local")]),
    Upstream {
        base_url: "BEDROCK_BASE_URL",
        path: "bedrock",
        // The keys of AWS's own examples, by which the stand-in checks signatures.
        credentials: &[
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
            (
                "AWS_SECRET_ACCESS_KEY",
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            ),
            ("AWS_REGION", "us-east-1"),
        ],
        instead: &["AWS_BEARER_TOKEN_BEDROCK"],
    },
];

/// `vars`, and the stand-in as the upstream of each vendor that neither `vars` nor `configured` says anything about.
pub(crate) fn with_local_upstreams(mut vars: Vec<Var>, configured: &[String], local: &str) -> Vec<Var> {
    for upstream in UPSTREAMS {
        let given =
            |key: &str| vars.iter().any(|var| var.key == key) || configured.iter().any(|name| name == key);
        // A region alone is nobody's key.
        let keys = upstream
            .credentials
            .iter()
            .map(|(key, _)| *key)
            .filter(|key| *key != "AWS_REGION");
        if keys.chain(upstream.instead.iter().copied()).any(given) {
            continue;
        }
        let mut missing: Vec<_> = upstream
            .credentials
            .iter()
            .filter(|(key, _)| !given(key))
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        if !given(upstream.base_url) {
            missing.insert(
                0,
                (upstream.base_url.to_owned(), format!("{local}/{}", upstream.path)),
            );
        } else if !vars
            .iter()
            .any(|var| var.key == upstream.base_url && is_loopback(&var.value))
        {
            // A vendor's real address without a key: the Worker says what is missing.
            continue;
        }
        vars.extend(missing.into_iter().map(|(key, value)| Var { key, value }));
    }
    vars
}

fn is_loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: &str = "http://127.0.0.1:9900";

    fn resolved(given: &[&str], configured: &[&str]) -> Vec<String> {
        let vars = given.iter().map(|var| var.parse().unwrap()).collect();
        let configured: Vec<String> = configured.iter().map(ToString::to_string).collect();
        let vars = with_local_upstreams(vars, &configured, LOCAL);
        vars.into_iter()
            .filter(|var| var.key.starts_with("OPENAI"))
            .map(|var| format!("{}={}", var.key, var.value))
            .collect()
    }

    #[test]
    fn a_value_may_hold_anything() {
        let var: Var = "URL=http://x/?a=b c".parse().unwrap();
        assert_eq!((var.key.as_str(), var.value.as_str()), ("URL", "http://x/?a=b c"));
        assert_eq!("EMPTY=".parse::<Var>().unwrap().value, "");
    }

    #[test]
    fn a_malformed_variable_is_told_what_is_wrong() {
        assert!("KEY".parse::<Var>().unwrap_err().contains("--var KEY=value"));
        for text in ["=x", "1KEY=x", "A-B=x", "A B=x"] {
            assert!(text.parse::<Var>().unwrap_err().contains("is no name"), "{text}");
        }
    }

    #[test]
    fn with_nothing_given_the_stand_ins_answer() {
        assert_eq!(
            resolved(&[], &[]),
            [
                "OPENAI_BASE_URL=http://127.0.0.1:9900/openai/v1",
                "OPENAI_API_KEY=local"
            ]
        );
        let all = with_local_upstreams(Vec::new(), &[], LOCAL);
        assert!(
            all.contains(
                &"ANTHROPIC_BASE_URL=http://127.0.0.1:9900/anthropic"
                    .parse()
                    .unwrap()
            )
        );
        assert!(all.contains(&"ANTHROPIC_API_KEY=local".parse().unwrap()));
        assert!(all.contains(&"GEMINI_BASE_URL=http://127.0.0.1:9900/gemini".parse().unwrap()));
        assert!(all.contains(&"BEDROCK_BASE_URL=http://127.0.0.1:9900/bedrock".parse().unwrap()));
        assert!(all.contains(&"AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE".parse().unwrap()));
        let own = with_local_upstreams(vec!["AWS_BEARER_TOKEN_BEDROCK=key".parse().unwrap()], &[], LOCAL);
        assert!(
            own.iter()
                .all(|var| var.key != "AWS_ACCESS_KEY_ID" && var.key != "BEDROCK_BASE_URL")
        );
    }

    #[test]
    fn what_is_given_stays() {
        assert_eq!(resolved(&["OPENAI_API_KEY=sk"], &[]), ["OPENAI_API_KEY=sk"]);
        assert_eq!(
            resolved(&["OPENAI_BASE_URL=https://example.com/v1"], &[]),
            ["OPENAI_BASE_URL=https://example.com/v1"]
        );
        assert_eq!(resolved(&[], &["OPENAI_API_KEY"]), Vec::<String>::new());
    }

    #[test]
    fn an_address_on_this_machine_needs_no_key() {
        for url in [
            "http://localhost:11434/v1",
            "http://127.0.0.1:1/",
            "http://[::1]:80",
        ] {
            let var = format!("OPENAI_BASE_URL={url}");
            assert_eq!(
                resolved(&[&var], &[]),
                [var.clone(), "OPENAI_API_KEY=local".to_owned()]
            );
        }
    }
}
