//! The models stood in for, as data.

use serde_json::{Value, json};

use super::error::Error;
use crate::call::Call;
use crate::embedder::Embedder;
use crate::reply::Reply;

/// What a model does, and how it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    Text {
        dialect: Dialect,
        /// Thinks before it answers, and shows it.
        reasons: bool,
    },
    Embedding {
        dimensions: usize,
        family: Family,
    },
    Rerank,
}

/// Form of a text model's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `{"response": …}`.
    Native,
    /// `chat.completion`.
    OpenAi,
}

/// Form of an embedding model's inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// `text`, `pooling`.
    Bge,
    /// `text`, or `query` and `contexts`.
    BgeM3,
    /// `queries`, `documents` or `text`.
    Qwen,
}

/// A model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) id: &'static str,
    pub(super) task: Task,
    /// Tokens read and written together; of an embedding model, tokens of one text.
    pub(super) context: usize,
    /// Whether a message may be a list of parts, pictures among them.
    pub(super) sees: bool,
}

impl Model {
    const fn seeing(self) -> Self {
        Self { sees: true, ..self }
    }
}

const fn text(id: &'static str, dialect: Dialect, reasons: bool, context: usize) -> Model {
    Model {
        id,
        task: Task::Text { dialect, reasons },
        context,
        sees: matches!(dialect, Dialect::OpenAi),
    }
}

const fn embedding(id: &'static str, family: Family, dimensions: usize, context: usize) -> Model {
    Model {
        id,
        task: Task::Embedding { dimensions, family },
        context,
        sees: false,
    }
}

/// Models that the service has shut down.
const RETIRED: &[&str] = &["@cf/meta/llama-3.1-8b-instruct"];

/// Why a model is not there.
pub(super) fn missing(id: &str) -> Error {
    if RETIRED.contains(&id) {
        Error::retired(id)
    } else {
        Error::no_model(id)
    }
}

pub(super) const MODELS: &[Model] = &[
    text(
        "@cf/meta/llama-3.1-8b-instruct-fast",
        Dialect::Native,
        false,
        128_000,
    ),
    text(
        "@cf/meta/llama-3.1-8b-instruct-fp8",
        Dialect::Native,
        false,
        32_000,
    ),
    text("@cf/meta/llama-3.2-3b-instruct", Dialect::Native, false, 80_000),
    text(
        "@cf/meta/llama-3.3-70b-instruct-fp8-fast",
        Dialect::Native,
        false,
        24_000,
    ),
    text(
        "@cf/meta/llama-4-scout-17b-16e-instruct",
        Dialect::Native,
        false,
        131_000,
    )
    .seeing(),
    text(
        "@cf/mistralai/mistral-small-3.1-24b-instruct",
        Dialect::Native,
        false,
        128_000,
    )
    .seeing(),
    text(
        "@hf/nousresearch/hermes-2-pro-mistral-7b",
        Dialect::Native,
        false,
        24_000,
    ),
    text("@cf/openai/gpt-oss-20b", Dialect::OpenAi, true, 128_000),
    text("@cf/openai/gpt-oss-120b", Dialect::OpenAi, true, 128_000),
    text("@cf/qwen/qwen3-30b-a3b-fp8", Dialect::OpenAi, true, 32_768),
    text("@cf/zai-org/glm-4.7-flash", Dialect::OpenAi, true, 131_072),
    embedding("@cf/baai/bge-small-en-v1.5", Family::Bge, 384, 512),
    embedding("@cf/baai/bge-base-en-v1.5", Family::Bge, 768, 512),
    embedding("@cf/baai/bge-large-en-v1.5", Family::Bge, 1024, 512),
    embedding("@cf/baai/bge-m3", Family::BgeM3, 1024, 60_000),
    embedding("@cf/qwen/qwen3-embedding-0.6b", Family::Qwen, 1024, 8_192),
    Model {
        id: "@cf/baai/bge-reranker-base",
        task: Task::Rerank,
        sees: false,
        context: 512,
    },
];

pub(super) fn find(id: &str) -> Option<&'static Model> {
    MODELS.iter().find(|model| model.id == id)
}

impl Model {
    fn task_name(self) -> &'static str {
        match self.task {
            Task::Text { .. } => "Text Generation",
            Task::Embedding { .. } => "Text Embeddings",
            Task::Rerank => "Text Classification",
        }
    }

    fn to_json(self, embedder: &Embedder) -> Value {
        let mut properties =
            vec![json!({ "property_id": "context_window", "value": self.context.to_string() })];
        if let Task::Embedding { dimensions, .. } = self.task {
            let dimensions = embedder.dimensions().unwrap_or(dimensions);
            properties.push(json!({ "property_id": "output_dimensions", "value": dimensions.to_string() }));
        }
        json!({
            "id": self.id, "source": 1, "name": self.id, "description": "Stood in for by edge-ai-local.",
            "task": { "id": self.task_name(), "name": self.task_name(), "description": "" },
            "tags": [], "properties": properties,
        })
    }
}

/// `models(params)`: by `search`, `task`, `page` and `per_page`.
pub(super) fn search(call: &Call<'_>) -> Reply {
    let wanted = |name: &str| {
        call.parameter(name)
            .map(|value| value.to_lowercase())
            .filter(|value| !value.is_empty())
    };
    let (search, task) = (wanted("search"), wanted("task"));
    let number = |name: &str, or: usize| {
        call.parameter(name)
            .and_then(|n| n.parse().ok())
            .unwrap_or(or)
            .max(1)
    };
    let (page, per_page) = (number("page", 1), number("per_page", 50));
    let found: Vec<Value> = MODELS
        .iter()
        .filter(|model| search.as_deref().is_none_or(|part| model.id.contains(part)))
        .filter(|model| {
            task.as_deref()
                .is_none_or(|task| model.task_name().to_lowercase() == task)
        })
        .skip((page - 1).saturating_mul(per_page))
        .take(per_page)
        .map(|model| model.to_json(&call.app.embedder))
        .collect();
    let info =
        json!({ "count": found.len(), "page": page, "per_page": per_page, "total_count": MODELS.len() });
    Reply::json(
        &json!({ "success": true, "errors": [], "messages": [], "result": found, "result_info": info }),
    )
}
