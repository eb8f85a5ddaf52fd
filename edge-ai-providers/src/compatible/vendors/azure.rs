use edge_ai_core::Capabilities;

use crate::compatible::{Deployments, Vendor};
use crate::openai::{Authentication, Compatibility, MediaServices};

/// [Azure OpenAI](https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle), whose models are your deployments:
/// `azure/{deployment}`.
///
/// By its v1 API, which has no versions. With `AZURE_OPENAI_API_VERSION`, such as `2024-10-21`, by the
/// [addresses before it](https://learn.microsoft.com/azure/foundry/openai/reference), one for each deployment; an
/// `AZURE_OPENAI_BASE_URL` ends with `/openai` then, and with `/openai/v1` otherwise. The key goes in `api-key`. A stream begins with a chunk
/// without choices that has the [filter's results](https://learn.microsoft.com/azure/foundry/openai/concepts/content-streaming) of
/// the prompt; they are unknown fields of the answer.
pub const AZURE: Vendor = Vendor {
    authentication: Authentication::Header("api-key"),
    deployments: Some(Deployments::new(
        "https://{AZURE_OPENAI_RESOURCE}.openai.azure.com/openai",
        "AZURE_OPENAI_API_VERSION",
    )),
    compatibility: Compatibility::OPENAI,
    media: MediaServices::ALL,
    capabilities: Capabilities::ALL,
    docs: "https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle",
    ..Vendor::new(
        "azure",
        "Azure OpenAI",
        "https://{AZURE_OPENAI_RESOURCE}.openai.azure.com/openai/v1",
        "AZURE_OPENAI_API_KEY",
        "AZURE_OPENAI_BASE_URL",
    )
};
