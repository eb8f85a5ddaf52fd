//! The table of `PROVIDERS.md`, which is made of the code: `UPDATE=1 cargo test -p edge-ai-providers --test compatible` writes it.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use edge_ai_core::{Capabilities, HttpClient, ManualClock, ModelInfo, Provider, Secret};
use edge_ai_providers::bedrock::Credentials;
use edge_ai_providers::compatible::{EnabledBy, VENDORS, Vendor};
use edge_ai_providers::workers_ai::WorkersAiRest;
use edge_ai_providers::{Anthropic, Bedrock, Gemini, OpenAi, WorkersAi};
use edge_ai_testkit::scripted::ScriptedHttpClient;

const HEAD: &str = "<!-- Made of the code by `UPDATE=1 cargo test -p edge-ai-providers --test compatible`. -->

# Providers

What each provider carries. *by model*: some models that it lists do, or its API does and it lists none, because they are yours or too
many. Every provider that chats also streams.

";

type Column = (&'static str, fn(&Capabilities) -> bool);

const COLUMNS: [Column; 10] = [
    ("chat", |can| can.chat),
    ("stream", |can| can.chat),
    ("tools", |can| can.tools),
    ("parallel tools", |can| can.parallel_tools),
    ("vision", |can| can.vision),
    ("JSON schema", |can| can.json_schema),
    ("reasoning", |can| can.reasoning),
    ("prompt caching", |can| can.prompt_caching),
    ("embeddings", |can| can.embeddings),
    ("rerank", |can| can.rerank),
];

/// A line: the name, what its API carries where that is known beside the models, and the models.
struct Row {
    name: String,
    api: Option<Capabilities>,
    models: Vec<ModelInfo>,
}

impl Row {
    fn of_provider(provider: &dyn Provider) -> Self {
        Self {
            name: provider.name().to_owned(),
            api: None,
            models: provider.models(),
        }
    }

    fn of_vendor(vendor: &Vendor) -> Self {
        Self {
            name: vendor.name.to_owned(),
            api: Some(vendor.capabilities),
            models: vendor.models.iter().map(|model| model.info()).collect(),
        }
    }

    fn cell(&self, column: &Column) -> &'static str {
        let (name, can) = column;
        let carried = self.api.is_some_and(|api| can(&api));
        let asked = |model: &&ModelInfo| model.capabilities.chat || matches!(*name, "embeddings" | "rerank");
        let able = self
            .models
            .iter()
            .filter(asked)
            .filter(|model| can(&model.capabilities))
            .count();
        let chats = self.models.iter().filter(|model| model.capabilities.chat).count();
        match *name {
            // Of whoever has models that embed, or an API for it.
            "embeddings" | "rerank" if able > 0 => "yes",
            "chat" | "stream" if able > 0 || carried => "yes",
            _ if able > 0 && able == chats => "yes",
            _ if able > 0 || carried => "by model",
            _ => "no",
        }
    }
}

fn table() -> String {
    let http: Arc<dyn HttpClient> = Arc::new(ScriptedHttpClient::new());
    let key = || Secret::new("k");
    let openai = OpenAi::builder(Arc::clone(&http), key()).build().unwrap();
    let anthropic = Anthropic::builder(Arc::clone(&http), key()).build().unwrap();
    let gemini = Gemini::builder(Arc::clone(&http), key()).build().unwrap();
    let clock = Arc::new(ManualClock::default());
    let bedrock = Bedrock::builder(Arc::clone(&http), clock, Credentials::ApiKey(key()), "us-east-1");
    let bedrock = bedrock.build().unwrap();
    let runner = WorkersAiRest::new(http, "0a1b", key()).unwrap();
    let workers_ai = WorkersAi::new(Arc::new(runner));
    let providers: [&dyn Provider; 5] = [&openai, &anthropic, &gemini, &bedrock, &workers_ai];
    let rows = providers.into_iter().map(Row::of_provider);

    let mut text = String::from(HEAD);
    let names: Vec<_> = COLUMNS.iter().map(|(name, _)| *name).collect();
    writeln!(text, "| provider | {} |", names.join(" | ")).unwrap();
    writeln!(text, "| --- |{}", " --- |".repeat(COLUMNS.len())).unwrap();
    for row in rows.chain(VENDORS.iter().map(Row::of_vendor)) {
        let cells: Vec<_> = COLUMNS.iter().map(|column| row.cell(column)).collect();
        writeln!(text, "| `{}` | {} |", row.name, cells.join(" | ")).unwrap();
    }
    text.push_str("\n## Settings\n\n| provider | is there with | address | further settings | by |\n| --- | --- | --- | --- | --- |\n");
    for vendor in VENDORS {
        writeln!(text, "{}", setting_row(vendor)).unwrap();
    }
    text
}

fn setting_row(vendor: &Vendor) -> String {
    let (with, mut further) = match vendor.enabled_by {
        EnabledBy::BaseUrl => (vendor.base_url_setting, vec![vendor.key_setting]),
        _ => (vendor.key_setting, vec![vendor.base_url_setting]),
    };
    // The settings in the address.
    further.extend(
        vendor
            .base_url
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split(['}', '=']).next()),
    );
    further.extend(vendor.deployments.map(|deployments| deployments.version_setting));
    further.extend(vendor.headers.iter().map(|(_, setting)| *setting));
    let further: Vec<_> = further.iter().map(|setting| format!("`{setting}`")).collect();
    let (name, title, url, docs) = (vendor.name, vendor.title, vendor.base_url, vendor.docs);
    let further = further.join(", ");
    format!("| `{name}` | `{with}` | `{url}` | {further} | [{title}]({docs}) |")
}

#[test]
fn the_table_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("PROVIDERS.md");
    let table = table();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &table).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == table,
        "PROVIDERS.md is not what the code says; UPDATE=1 cargo test -p edge-ai-providers --test compatible writes it"
    );
}
