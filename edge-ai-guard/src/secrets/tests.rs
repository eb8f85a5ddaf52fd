use super::*;
use crate::scan::find;

fn found(text: &str) -> Vec<(String, String)> {
    let hits = find(text, &Secrets::all());
    hits.into_iter()
        .map(|hit| (hit.category.into_owned(), hit.text))
        .collect()
}

/// Keys are put together here, so that no scanner takes this file for a leak.
fn key(prefix: &str, len: usize) -> String {
    let letters = "aZ3kQ9xT7bLm2Vw8RcYp5Nf1Hd6Gj4S0eUiOuKs";
    format!(
        "{prefix}{}",
        letters.chars().cycle().take(len).collect::<String>()
    )
}

#[test]
fn keys_of_vendors() {
    let upper = key("", 16).to_uppercase();
    for (category, secret) in [
        ("openai_key", key("sk-", 48)),
        ("openai_key", key("sk-proj-", 120)),
        ("anthropic_key", key("sk-ant-api03-", 90)),
        ("github_token", key("ghp_", 36)),
        ("github_token", key("github_pat_", 82)),
        ("aws_access_key", format!("AKIA{upper}")),
        ("slack_token", key("xoxb-", 40)),
        ("google_key", key("AIza", 35)),
        ("stripe_key", key("sk_live_", 24)),
        ("huggingface_token", key("hf_", 34)),
        ("gitlab_token", key("glpat-", 20)),
    ] {
        for text in [
            format!("use {secret} here"),
            format!("\"{secret}\""),
            secret.clone(),
        ] {
            assert_eq!(found(&text), [(category.to_owned(), secret.clone())], "{text}");
        }
    }
}

#[test]
fn what_only_looks_like_a_key_is_none() {
    for text in [
        "sk-learn is fine",
        "the risk-averse",
        "ghp_short",
        "AKIA is a prefix",
        "xoxo",
        "npm_config_registry",
        "eyJ is how tokens start",
        "password: required",
        "secret = the recipe of my grandmother",
        "token: your_token_here",
        "api_key = os.environ[\"OPENAI_API_KEY\"]",
        "-----BEGIN CERTIFICATE-----",
        "https://example.com:8080/x@y",
        "bearer of good news",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn private_keys_go_to_their_end() {
    let body = key("", 700);
    let pem = format!("-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----");
    assert_eq!(
        found(&format!("x {pem} y")),
        [("private_key".to_owned(), pem.clone())]
    );
    let cut = format!("-----BEGIN PRIVATE KEY-----\n{body}");
    assert_eq!(found(&cut), [("private_key".to_owned(), cut.clone())]);
}

#[test]
fn web_tokens_and_passwords_in_addresses() {
    let token = format!("{}.{}.{}", key("eyJ", 33), key("eyJ", 60), key("", 43));
    assert_eq!(
        found(&format!("Bearer {token}"))[0],
        ("json_web_token".to_owned(), token)
    );
    assert_eq!(
        found("postgres://app:hunter2!@db.example.com/x"),
        [("password".to_owned(), "hunter2!".to_owned())]
    );
}

#[test]
fn what_is_assigned_to_a_telling_name() {
    let value = key("", 24);
    for text in [
        format!("API_KEY={value}"),
        format!("\"client_secret\": \"{value}\""),
        format!("password: '{value}'"),
        format!("--auth-token={value}"),
        format!("Authorization: Bearer {value}"),
    ] {
        assert_eq!(
            found(&text),
            [("assigned_secret".to_owned(), value.clone())],
            "{text}"
        );
    }
    assert!(find(&format!("API_KEY={value}"), &Secrets::known()).is_empty());
}
