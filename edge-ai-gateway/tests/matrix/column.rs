//! The providers, a column of the table each.

use std::sync::Arc;

use edge_ai_core::{HttpClient, ManualClock, Secret};
use edge_ai_gateway::GatewayBuilder;
use edge_ai_providers::bedrock::Credentials;
use edge_ai_providers::compatible::{VENDORS, Vendor};
use edge_ai_providers::openai::ChatApi;
use edge_ai_providers::vertex::AccessToken;
use edge_ai_providers::workers_ai::WorkersAiRest;
use edge_ai_providers::{Anthropic, Bedrock, Gemini, OpenAi, Vertex, WorkersAi};

use crate::dialect::{self, Server};

/// A provider, and the model that is asked.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) model: String,
    pub(crate) server: &'static dyn Server,
    add: Box<dyn Fn(GatewayBuilder, Arc<dyn HttpClient>) -> GatewayBuilder>,
}

impl Column {
    fn new(
        name: &'static str,
        model: &str,
        server: &'static dyn Server,
        add: impl Fn(GatewayBuilder, Arc<dyn HttpClient>) -> GatewayBuilder + 'static,
    ) -> Self {
        let model = model.to_owned();
        let add = Box::new(add);
        Self {
            name,
            model,
            server,
            add,
        }
    }

    /// The gateway with this provider.
    pub(crate) fn add_to(&self, builder: GatewayBuilder, http: Arc<dyn HttpClient>) -> GatewayBuilder {
        (self.add)(builder, http)
    }

    fn openai(name: &'static str, api: ChatApi, server: &'static dyn Server) -> Self {
        Self::new(name, "openai/gpt-5.2", server, move |builder, http| {
            let openai = OpenAi::builder(http, key()).chat_api(api);
            builder.provider(openai.build().unwrap())
        })
    }

    fn vertex(name: &'static str, model: &str, server: &'static dyn Server) -> Self {
        Self::new(name, model, server, |builder, http| {
            let tokens = Arc::new(AccessToken::new("ya29.local"));
            builder.provider(Vertex::builder(http, "my-project", tokens).build().unwrap())
        })
    }

    fn workers_ai(name: &'static str, model: &str, server: &'static dyn Server) -> Self {
        Self::new(name, model, server, |builder, http| {
            let runner = WorkersAiRest::new(http, "0a1b", key()).unwrap();
            builder.provider(WorkersAi::new(Arc::new(runner)))
        })
    }

    fn vendor(vendor: &'static Vendor) -> Self {
        let model = format!("{}/a-model", vendor.name);
        Self::new(vendor.name, &model, &dialect::Chat, move |builder, http| {
            let settings = |name: &str| {
                let base_url = name
                    .ends_with("BASE_URL")
                    .then(|| String::from("https://vendor.example/v1"));
                Some(base_url.unwrap_or_else(|| String::from("k"))).filter(|_| !name.ends_with("API_VERSION"))
            };
            builder.provider(vendor.from_settings(http, &settings).unwrap().unwrap())
        })
    }

    pub(crate) fn all() -> Vec<Self> {
        let mut columns = vec![
            Self::openai(
                "openai, by chat completions",
                ChatApi::Completions,
                &dialect::Chat,
            ),
            Self::openai("openai, by responses", ChatApi::Responses, &dialect::Responses),
            Self::new(
                "anthropic",
                "anthropic/claude-haiku-4-5",
                &dialect::Messages,
                |builder, http| builder.provider(Anthropic::builder(http, key()).build().unwrap()),
            ),
            Self::vertex(
                "vertex, Claude",
                "vertex/claude-haiku-4-5@20251001",
                &dialect::Messages,
            ),
            Self::new(
                "gemini",
                "gemini/gemini-2.5-flash",
                &dialect::Gemini,
                |builder, http| builder.provider(Gemini::builder(http, key()).build().unwrap()),
            ),
            Self::vertex("vertex, Gemini", "vertex/gemini-2.5-flash", &dialect::Gemini),
            Self::new(
                "bedrock",
                "bedrock/global.anthropic.claude-haiku-4-5-20251001-v1:0",
                &dialect::Converse,
                |builder, http| {
                    let clock = Arc::new(ManualClock::default());
                    let bedrock = Bedrock::builder(http, clock, Credentials::ApiKey(key()), "us-east-1");
                    builder.provider(bedrock.build().unwrap())
                },
            ),
            Self::workers_ai(
                "workers-ai, its own shape",
                "workers-ai/@cf/meta/llama-4-scout-17b-16e-instruct",
                &dialect::WorkersAi,
            ),
            Self::workers_ai(
                "workers-ai, OpenAI's shape",
                "workers-ai/@cf/openai/gpt-oss-120b",
                &dialect::WorkersAiChat,
            ),
        ];
        columns.extend(
            VENDORS
                .iter()
                .filter(|vendor| vendor.capabilities.chat)
                .map(Self::vendor),
        );
        columns
    }
}

fn key() -> Secret {
    Secret::new("a-key")
}
