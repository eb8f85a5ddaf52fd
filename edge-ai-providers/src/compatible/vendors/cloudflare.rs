use edge_ai_core::Capabilities;

use crate::compatible::Vendor;
use crate::openai::{Authentication, Compatibility};

/// [Cloudflare's AI REST API](https://developers.cloudflare.com/ai-gateway/usage/rest-api/): the models of many vendors, as
/// `cloudflare/vendor/model` and `cloudflare/@cf/…`, paid to Cloudflare and seen by AI Gateway.
///
/// With a token in `CLOUDFLARE_API_TOKEN` and the account in `CLOUDFLARE_ACCOUNT_ID`; `CLOUDFLARE_GATEWAY_ID` names another gateway than the
/// account's default.
pub const CLOUDFLARE: Vendor = Vendor {
    headers: &[("cf-aig-gateway-id", "CLOUDFLARE_GATEWAY_ID")],
    compatibility: ANY_VENDOR,
    capabilities: Capabilities::ALL,
    docs: "https://developers.cloudflare.com/ai-gateway/usage/rest-api/",
    ..Vendor::new(
        "cloudflare",
        "Cloudflare AI REST API",
        "https://api.cloudflare.com/client/v4/accounts/{CLOUDFLARE_ACCOUNT_ID}/ai/v1",
        "CLOUDFLARE_API_TOKEN",
        "CLOUDFLARE_BASE_URL",
    )
};

/// [Cloudflare's AI Gateway](https://developers.cloudflare.com/ai-gateway/usage/chat-completion/) by the address of one gateway:
/// `cloudflare-ai-gateway/vendor/model`, and `cloudflare-ai-gateway/dynamic/{route}` for its dynamic routes, which are here alone.
///
/// The gateway's [token](https://developers.cloudflare.com/ai-gateway/configuration/authentication/) goes in `cf-aig-authorization`; the
/// vendors' keys are stored with the gateway, or the models are paid to Cloudflare. `CLOUDFLARE_GATEWAY_ID` is `default` unless set.
pub const CLOUDFLARE_AI_GATEWAY: Vendor = Vendor {
    authentication: Authentication::BearerIn("cf-aig-authorization"),
    compatibility: ANY_VENDOR,
    capabilities: Capabilities::CHAT
        .parallel_tools()
        .vision()
        .json_schema()
        .reasoning()
        .prompt_caching(),
    docs: "https://developers.cloudflare.com/ai-gateway/usage/chat-completion/",
    ..Vendor::new(
        "cloudflare-ai-gateway",
        "Cloudflare AI Gateway",
        "https://gateway.ai.cloudflare.com/v1/{CLOUDFLARE_ACCOUNT_ID}/{CLOUDFLARE_GATEWAY_ID=default}/compat",
        "CF_AIG_TOKEN",
        "CF_AIG_BASE_URL",
    )
};

/// What every vendor behind it understands.
const ANY_VENDOR: Compatibility = Compatibility {
    top_k: false,
    ..Compatibility::COMPATIBLE
};
