use edge_ai_core::{Body, Error, ErrorKind, Result};
use edge_ai_providers::openai::{self, ModelEntry};
use http::{Response, StatusCode};

use super::response::json;
use crate::access::Principal;
use crate::route::Router;

/// `GET /v1/models`: the routes, and the models that the providers list, as far as the caller may ask for them.
pub(crate) fn models(router: &Router, principal: &Principal) -> Response<Body> {
    json(StatusCode::OK, openai::encode_models(&entries(router, principal)))
}

/// `GET /v1/models/{model}`
pub(crate) fn model(router: &Router, principal: &Principal, id: &str) -> Result<Response<Body>> {
    let entry = entries(router, principal)
        .into_iter()
        .find(|entry| entry.id == id)
        .ok_or_else(|| {
            let shown: String = id.chars().take(128).collect();
            Error::new(
                ErrorKind::NotFound,
                format!("the model `{shown}` is not listed; GET /v1/models lists them"),
            )
            .with_param("model")
            .with_code("model_not_found")
        })?;
    Ok(json(StatusCode::OK, openai::encode_model(&entry)))
}

/// What there is to ask for, of what the caller may.
fn entries(router: &Router, principal: &Principal) -> Vec<ModelEntry> {
    // Nobody knows when a vendor made a model available here.
    let entry = |id: String, owner: &str| ModelEntry {
        id,
        created: 0,
        owned_by: owner.to_owned(),
    };
    let table = router.table();
    let routes = table.routes().keys().map(|name| entry(name.clone(), "edge-ai"));
    let models = table.providers().iter().flat_map(|provider| {
        let name = provider.name();
        let of = |model: edge_ai_core::ModelInfo| entry(format!("{name}/{}", model.id), name);
        provider.models().into_iter().map(of).collect::<Vec<_>>()
    });
    routes
        .chain(models)
        .filter(|entry| table.permits(&principal.models, &entry.id))
        .collect()
}
