use edge_ai_core::Capabilities;

use crate::compatible::{Model, Vendor};
use crate::openai::MediaServices;

/// [Together](https://docs.together.ai/docs/inference/openai-compatibility): open models, as `together/maker/model`.
pub const TOGETHER: Vendor = Vendor {
    media: MediaServices {
        images: true,
        speech: true,
        transcriptions: true,
        ..MediaServices::NONE
    },
    capabilities: Capabilities::CHAT
        .parallel_tools()
        .vision()
        .json_schema()
        .reasoning()
        .embeddings(),
    models: &[
        Model::new("openai/gpt-oss-120b", GPT_OSS),
        Model::new("openai/gpt-oss-20b", GPT_OSS),
    ],
    docs: "https://docs.together.ai/docs/inference/openai-compatibility",
    ..Vendor::new(
        "together",
        "Together",
        "https://api.together.ai/v1",
        "TOGETHER_API_KEY",
        "TOGETHER_BASE_URL",
    )
};

const GPT_OSS: Capabilities = Capabilities::CHAT.tools().json_schema().reasoning();
